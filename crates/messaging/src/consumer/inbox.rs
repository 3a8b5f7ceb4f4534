//! The rows of `messaging.inbox`: which events were handled, so that a repetition changes nothing.

use std::collections::HashSet;

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Those of the events whose effects are committed.
pub(super) async fn known(pool: &PgPool, consumer: &str, events: &[Uuid]) -> sqlx::Result<HashSet<Uuid>> {
    let known = sqlx::query_scalar!(
        "select event_id from messaging.inbox where consumer = $1 and event_id = any($2)",
        consumer,
        events,
    )
    .fetch_all(pool)
    .await?;
    Ok(known.into_iter().collect())
}

/// Notes the events as handled and returns those that were not before. They go in sorted, so that two transactions
/// with common events wait for each other instead of deadlocking.
pub(super) async fn enter(
    tx: &mut PgConnection,
    consumer: &str,
    events: &[Uuid],
) -> sqlx::Result<HashSet<Uuid>> {
    let new = sqlx::query_scalar!(
        "insert into messaging.inbox (consumer, event_id)
         select $1, event from unnest($2::uuid[]) as event order by event
         on conflict do nothing
         returning event_id",
        consumer,
        events,
    )
    .fetch_all(tx)
    .await?;
    Ok(new.into_iter().collect())
}

/// Takes back that these events were handled, in the transaction that entered them.
pub(super) async fn withdraw(tx: &mut PgConnection, consumer: &str, events: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("delete from messaging.inbox where consumer = $1 and event_id = any($2)", consumer, events)
        .execute(tx)
        .await?;
    Ok(())
}
