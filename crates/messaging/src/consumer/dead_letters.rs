//! The rows of `messaging.dead_letters`: what could not be handled, kept where no loss of Redis takes it away.

use sqlx::PgPool;
use uuid::Uuid;

use crate::runner::DeadLetter;

/// Keeps a dead letter. One that is kept already, of this entry or open and of this event, stays as it is.
pub(super) async fn insert(pool: &PgPool, consumer: &str, dead_letter: &DeadLetter<'_>) -> sqlx::Result<()> {
    let event_id: Option<Uuid> = dead_letter.text("event_id").and_then(|id| id.parse().ok());
    let (names, contents): (Vec<&[u8]>, Vec<&[u8]>) = dead_letter.fields.iter().copied().unzip();
    sqlx::query!(
        "insert into messaging.dead_letters (consumer, stream, entry_id, event_id, event_type, correlation_id,
             names, contents, error, tries, first_failed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict do nothing",
        consumer,
        dead_letter.stream,
        dead_letter.entry_id,
        event_id,
        dead_letter.text("type").map(storable),
        dead_letter.text("correlation_id").map(storable),
        names.as_slice() as &[&[u8]],
        contents.as_slice() as &[&[u8]],
        storable(dead_letter.error),
        i32::try_from(dead_letter.tries).unwrap_or(i32::MAX),
        dead_letter.first_failed_at,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Postgres keeps every text but one with a NUL in it.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
