//! Maintenance: counting what waits for people, purging what is old, and trying a key that Midtrans does not accept.

use crate::{AppState, store};

/// Shows how much waits for a person.
///
/// # Errors
/// If the database does not answer.
pub async fn count_waiting(state: &AppState) -> sqlx::Result<()> {
    let waiting = store::count_waiting_for_people(&mut *state.db.acquire().await?).await?;
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float, and nobody waits for 2^52 refunds")]
    let show = |name, count: i64| metrics::gauge!(name).set(count as f64);
    show("payment_refunds_manual", waiting.manual);
    show("payment_reviews", waiting.review);
    Ok(())
}

/// Rows that one statement removes at most, so that it stays short.
const PURGED_AT_ONCE: i64 = 1_000;

/// Removes some of the notifications and replies that are too old; returns how many, so that it goes on until none is left.
///
/// # Errors
/// If the database does not answer.
pub async fn purge(state: &AppState) -> sqlx::Result<usize> {
    let mut db = state.db.acquire().await?;
    let notifications = store::purge_notifications(&mut db, PURGED_AT_ONCE).await?;
    let keys = store::purge_keys(&mut db, PURGED_AT_ONCE).await?;
    Ok(usize::try_from(notifications + keys).unwrap_or(usize::MAX))
}

/// Tries a key that Midtrans did not accept when it was last used; at the start, that is not known yet.
pub async fn check_key(state: &AppState) {
    if !state.midtrans.key_is_known_to_work() {
        state.midtrans.check_key().await;
    }
}
