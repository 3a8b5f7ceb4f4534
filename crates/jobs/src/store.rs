//! The table of jobs. All times are the database's.

use std::time::Duration;

use chassis::database::interval;
use sqlx::{PgConnection, PgPool, postgres::types::PgInterval};

use crate::{Due, JobId, LEASE};

/// A job that was claimed.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub kind: String,
    pub key: String,
    /// How often it was started, this time included.
    pub tries: i32,
    /// Which enqueueing this run serves.
    pub generation: i32,
}

/// What waits of a kind.
#[derive(Debug)]
pub(crate) struct Backlog {
    pub kind: String,
    /// Jobs that could run now.
    pub due: i64,
    /// For how many seconds the oldest of them could.
    pub oldest_seconds: f64,
    /// The most tries that a waiting job has had.
    pub tries: i32,
    /// Jobs that wait for a person.
    pub dead: i64,
}

pub(crate) async fn enqueue(db: &mut PgConnection, jobs: impl IntoIterator<Item = Due>) -> sqlx::Result<()> {
    let (ids, delays): (Vec<JobId>, Vec<PgInterval>) =
        jobs.into_iter().map(|due| (due.job, interval(due.delay))).unzip();
    let (kinds, keys) = columns(ids);
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

pub(crate) async fn enqueue_if_absent(db: &mut PgConnection, due: &Due) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into jobs.queue (kind, key, run_at) values ($1, $2, now() + $3) on conflict do nothing",
        due.job.kind,
        due.job.key,
        interval(due.delay),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn remove(db: &mut PgConnection, jobs: impl IntoIterator<Item = JobId>) -> sqlx::Result<()> {
    let (kinds, keys) = columns(jobs);
    sqlx::query!(
        "delete from jobs.queue where (kind, key) in (select * from unnest($1::text[], $2::text[]))",
        &kinds as &[&str],
        &keys,
    )
    .execute(db)
    .await?;
    Ok(())
}

fn columns(jobs: impl IntoIterator<Item = JobId>) -> (Vec<&'static str>, Vec<String>) {
    jobs.into_iter().map(|job| (job.kind, job.key)).unzip()
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

/// Removes a job that is done. This and the two below change nothing if the claim is not the last one: then the job was
/// enqueued again, or somebody else claimed it after the lease.
pub(crate) async fn finish(pool: &PgPool, job: &Claimed) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from jobs.queue where kind = $1 and key = $2 and generation = $3 and tries = $4",
        job.kind,
        job.key,
        job.generation,
        job.tries,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Has a job run once more after `delay`, as if it had been enqueued again.
pub(crate) async fn repeat(pool: &PgPool, job: &Claimed, delay: Duration) -> sqlx::Result<()> {
    sqlx::query!(
        "update jobs.queue set run_at = now() + $5, tries = 0, generation = generation + 1, error = null
         where kind = $1 and key = $2 and generation = $3 and tries = $4",
        job.kind,
        job.key,
        job.generation,
        job.tries,
        interval(delay),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Has a job tried once more after `pause`.
pub(crate) async fn retry(
    pool: &PgPool,
    job: &Claimed,
    pause: Duration,
    error: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update jobs.queue set run_at = now() + $5, error = $6
         where kind = $1 and key = $2 and generation = $3 and tries = $4",
        job.kind,
        job.key,
        job.generation,
        job.tries,
        interval(pause),
        error,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Gives a job up.
pub(crate) async fn mark_dead(pool: &PgPool, job: &Claimed, error: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update jobs.queue set dead_at = now(), error = $5
         where kind = $1 and key = $2 and generation = $3 and tries = $4",
        job.kind,
        job.key,
        job.generation,
        job.tries,
        error,
    )
    .execute(pool)
    .await?;
    Ok(())
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
