//! The table of jobs. All times are the database's.

use std::{collections::BTreeMap, time::Duration};

use chassis::database::interval;
use sqlx::{PgConnection, PgPool, postgres::types::PgInterval};

use crate::{Due, JobId, LEASE};

#[derive(Debug)]
pub(crate) struct Claimed {
    pub kind: String,
    pub key: String,
    /// How often it was started, this time included.
    pub tries: i32,
    /// Which enqueueing this run serves; after a later one, how this run ended does not matter.
    pub generation: i32,
}

#[derive(Debug)]
pub(crate) struct Backlog {
    pub kind: String,
    /// Jobs that could run now, if there were workers.
    pub due: i64,
    /// For how many seconds the oldest of them could.
    pub oldest_seconds: f64,
    /// The most tries that a waiting job has had.
    pub tries: i32,
    /// Jobs that wait for a person.
    pub dead: i64,
}

pub(crate) async fn enqueue(db: &mut PgConnection, jobs: impl IntoIterator<Item = Due>) -> sqlx::Result<()> {
    let (kinds, keys, delays) = columns_of_due(jobs);
    if kinds.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into jobs.queue (kind, key, run_at)
         select kind, key, now() + delay
         from unnest($1::text[], $2::text[], $3::interval[]) as due (kind, key, delay)
         on conflict (kind, key) do update
         set run_at = excluded.run_at, enqueued_at = now(), tries = 0, generation = queue.generation + 1, error = null,
             dead_at = null",
        &kinds as &[&str],
        &keys,
        &delays,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn enqueue_if_absent(
    db: &mut PgConnection,
    jobs: impl IntoIterator<Item = Due>,
) -> sqlx::Result<()> {
    let (kinds, keys, delays) = columns_of_due(jobs);
    sqlx::query!(
        "insert into jobs.queue (kind, key, run_at)
         select kind, key, now() + delay
         from unnest($1::text[], $2::text[], $3::interval[]) as due (kind, key, delay)
         on conflict do nothing",
        &kinds as &[&str],
        &keys,
        &delays,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn remove(db: &mut PgConnection, jobs: impl IntoIterator<Item = JobId>) -> sqlx::Result<()> {
    let (kinds, keys): (Vec<&str>, Vec<String>) = jobs.into_iter().map(|job| (job.kind, job.key)).unzip();
    if kinds.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "delete from jobs.queue using unnest($1::text[], $2::text[]) as gone (kind, key)
         where queue.kind = gone.kind and queue.key = gone.key",
        &kinds as &[&str],
        &keys,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Jobs as columns, each once: of two with the same key the last counts.
fn columns_of_due(jobs: impl IntoIterator<Item = Due>) -> (Vec<&'static str>, Vec<String>, Vec<PgInterval>) {
    let jobs = jobs.into_iter().map(|due| ((due.job.kind, due.job.key), interval(due.delay)));
    let jobs: BTreeMap<_, _> = jobs.collect();
    let (mut kinds, mut keys, mut delays) = (Vec::new(), Vec::new(), Vec::new());
    for ((kind, key), delay) in jobs {
        kinds.push(kind);
        keys.push(key);
        delays.push(delay);
    }
    (kinds, keys, delays)
}

/// Takes what is due: of each kind at most as many jobs as it has free slots, those that are due for longest first.
pub(crate) async fn claim(pool: &PgPool, kinds: &[&str], slots: &[i64]) -> sqlx::Result<Vec<Claimed>> {
    sqlx::query_as!(
        Claimed,
        "update jobs.queue set run_at = now() + $3, tries = tries + 1
         from unnest($1::text[], $2::bigint[]) as wanted (kind, slots)
         cross join lateral (
             select key from jobs.queue where queue.kind = wanted.kind and run_at <= now() and dead_at is null
             order by run_at limit wanted.slots for update skip locked
         ) as due
         where queue.kind = wanted.kind and queue.key = due.key
         returning queue.kind, queue.key, tries, generation",
        kinds as &[&str],
        slots,
        interval(LEASE),
    )
    .fetch_all(pool)
    .await
}

#[derive(Debug)]
pub(crate) struct Ended {
    pub job: Claimed,
    pub next: Next,
}

/// What becomes of a job whose run has ended.
#[derive(Debug)]
pub(crate) enum Next {
    /// It is done: the row goes.
    Finish,
    /// It runs once more after this time, as if it had been enqueued again.
    Repeat(Duration),
    /// It is tried once more after this time.
    Retry(Duration, Option<String>),
    /// It is given up with this error, until it is enqueued again.
    Dead(String),
}

/// Records how runs have ended. Nothing changes for a job whose claim is not the last one: it was enqueued again, or
/// somebody else claimed it after the lease.
pub(crate) async fn record(pool: &PgPool, ended: &[&Ended]) -> sqlx::Result<()> {
    let (finished, others): (Vec<&Ended>, Vec<&Ended>) =
        ended.iter().partition(|ended| matches!(ended.next, Next::Finish));
    if !finished.is_empty() {
        finish(pool, &finished).await?;
    }
    if others.is_empty() { Ok(()) } else { schedule(pool, &others).await }
}

async fn finish(pool: &PgPool, ended: &[&Ended]) -> sqlx::Result<()> {
    let (kinds, keys, generations, tries) = columns_of_claims(ended);
    sqlx::query!(
        "delete from jobs.queue
         using unnest($1::text[], $2::text[], $3::integer[], $4::integer[]) as ended (kind, key, generation, tries)
         where queue.kind = ended.kind and queue.key = ended.key and queue.generation = ended.generation
             and queue.tries = ended.tries",
        &kinds as &[&str],
        &keys as &[&str],
        &generations,
        &tries,
    )
    .execute(pool)
    .await?;
    Ok(())
}

async fn schedule(pool: &PgPool, ended: &[&Ended]) -> sqlx::Result<()> {
    let (kinds, keys, generations, tries) = columns_of_claims(ended);
    let (mut delays, mut errors, mut repeated, mut dead) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Ended { next, .. } in ended {
        let (delay, error) = match next {
            Next::Finish => (Duration::ZERO, None),
            Next::Repeat(delay) => (*delay, None),
            Next::Retry(delay, error) => (*delay, error.as_deref()),
            Next::Dead(reason) => (Duration::ZERO, Some(reason.as_str())),
        };
        delays.push(interval(delay));
        errors.push(error);
        repeated.push(matches!(next, Next::Repeat(_)));
        dead.push(matches!(next, Next::Dead(_)));
    }
    sqlx::query!(
        "update jobs.queue
         set run_at = now() + ended.delay, error = ended.error,
             tries = case when ended.repeated then 0 else queue.tries end,
             generation = queue.generation + ended.repeated::integer,
             dead_at = case when ended.dead then now() end
         from unnest($1::text[], $2::text[], $3::integer[], $4::integer[], $5::interval[], $6::text[], $7::boolean[],
             $8::boolean[]) as ended (kind, key, generation, tries, delay, error, repeated, dead)
         where queue.kind = ended.kind and queue.key = ended.key and queue.generation = ended.generation
             and queue.tries = ended.tries",
        &kinds as &[&str],
        &keys as &[&str],
        &generations,
        &tries,
        &delays,
        &errors as &[Option<&str>],
        &repeated,
        &dead,
    )
    .execute(pool)
    .await?;
    Ok(())
}

fn columns_of_claims<'a>(ended: &[&'a Ended]) -> (Vec<&'a str>, Vec<&'a str>, Vec<i32>, Vec<i32>) {
    let jobs = || ended.iter().map(|ended| &ended.job);
    (
        jobs().map(|job| job.kind.as_str()).collect(),
        jobs().map(|job| job.key.as_str()).collect(),
        jobs().map(|job| job.generation).collect(),
        jobs().map(|job| job.tries).collect(),
    )
}

/// What waits of each of these kinds.
pub(crate) async fn backlog(pool: &PgPool, kinds: &[&str]) -> sqlx::Result<Vec<Backlog>> {
    sqlx::query_as!(
        Backlog,
        r#"select wanted.kind as "kind!", count(key) filter (where run_at <= now() and dead_at is null) as "due!",
               coalesce(extract(epoch from now() - min(run_at) filter (where run_at <= now() and dead_at is null)), 0)
                   ::float8 as "oldest_seconds!",
               coalesce(max(tries) filter (where dead_at is null), 0) as "tries!",
               count(key) filter (where dead_at is not null) as "dead!"
           from unnest($1::text[]) as wanted (kind) left join jobs.queue on queue.kind = wanted.kind
           group by wanted.kind"#,
        kinds as &[&str],
    )
    .fetch_all(pool)
    .await
}
