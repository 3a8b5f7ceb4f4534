//! The table of jobs. All times are the database's.

use std::time::Duration;

use sqlx::{PgConnection, PgPool, postgres::types::PgInterval};

use crate::LEASE;

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

pub(crate) async fn enqueue(
    db: &mut PgConnection,
    kind: &str,
    keys: &[String],
    delay: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into jobs.queue (kind, key, run_at) select $1, key, now() + $3 from unnest($2::text[]) as key
         on conflict (kind, key) do update
         set run_at = excluded.run_at, enqueued_at = now(), tries = 0, generation = queue.generation + 1, error = null,
             dead_at = null",
        kind,
        keys,
        interval(delay),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn enqueue_if_absent(
    db: &mut PgConnection,
    kind: &str,
    key: &str,
    delay: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into jobs.queue (kind, key, run_at) values ($1, $2, now() + $3) on conflict do nothing",
        kind,
        key,
        interval(delay),
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn remove(db: &mut PgConnection, kind: &str, key: &str) -> sqlx::Result<()> {
    sqlx::query!("delete from jobs.queue where kind = $1 and key = $2", kind, key).execute(db).await?;
    Ok(())
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

/// Removes a job that is done, unless it was enqueued again meanwhile.
pub(crate) async fn finish(pool: &PgPool, job: &Claimed) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from jobs.queue where kind = $1 and key = $2 and generation = $3",
        job.kind,
        job.key,
        job.generation,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Has a job run once more after `delay`, unless it was enqueued again meanwhile.
pub(crate) async fn reschedule(
    pool: &PgPool,
    job: &Claimed,
    tries: i32,
    delay: Duration,
    error: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update jobs.queue set run_at = now() + $4, tries = $5, error = $6
         where kind = $1 and key = $2 and generation = $3",
        job.kind,
        job.key,
        job.generation,
        interval(delay),
        tries,
        error,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Gives a job up, unless it was enqueued again meanwhile.
pub(crate) async fn mark_dead(pool: &PgPool, job: &Claimed, error: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update jobs.queue set dead_at = now(), error = $4 where kind = $1 and key = $2 and generation = $3",
        job.kind,
        job.key,
        job.generation,
        error,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// What waits, by kind.
pub(crate) async fn backlog(pool: &PgPool) -> sqlx::Result<Vec<Backlog>> {
    sqlx::query_as!(
        Backlog,
        r#"select kind, count(*) filter (where run_at <= now() and dead_at is null) as "due!",
               coalesce(extract(epoch from now() - min(run_at) filter (where run_at <= now() and dead_at is null)), 0)
                   ::float8 as "oldest_seconds!",
               coalesce(max(tries) filter (where dead_at is null), 0) as "tries!",
               count(*) filter (where dead_at is not null) as "dead!"
           from jobs.queue group by kind"#
    )
    .fetch_all(pool)
    .await
}

fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
