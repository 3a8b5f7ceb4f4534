//! Maintenance: counting what waits, and purging what is old.

use std::time::Duration;

use crate::{AppState, store};

/// How long a notification can be looked at. No event comes again after so long.
const KEPT: Duration = Duration::from_hours(90 * 24);
/// Rows that one statement removes at most, so that it stays short.
const PURGED_AT_ONCE: i64 = 1_000;

/// Shows how many notifications wait, bounced, or were given up.
///
/// # Errors
/// If the database does not answer.
pub async fn count_waiting(state: &AppState) -> sqlx::Result<()> {
    let counts = store::count_states(&mut *state.db.acquire().await?).await?;
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float, and nobody waits for 2^52 mails")]
    let show = |state: &'static str, count: i64| {
        metrics::gauge!("notifications", "state" => state).set(count as f64);
    };
    show("PENDING", counts.pending);
    show("BOUNCED", counts.bounced);
    show("DEAD", counts.dead);
    Ok(())
}

/// Removes some of the notifications that are too old; returns how many, so that it goes on until none is left.
///
/// # Errors
/// If the database does not answer.
pub async fn purge(state: &AppState) -> sqlx::Result<usize> {
    let purged = store::purge_notifications(&mut *state.db.acquire().await?, KEPT, PURGED_AT_ONCE).await?;
    Ok(usize::try_from(purged).unwrap_or(usize::MAX))
}
