//! Which events were handled.

use std::collections::HashSet;

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Whether the effects of an event are committed.
pub(super) async fn knows(pool: &PgPool, consumer: &str, event: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from messaging.inbox where consumer = $1 and event_id = $2) as "known!""#,
        consumer,
        event,
    )
    .fetch_one(pool)
    .await
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
