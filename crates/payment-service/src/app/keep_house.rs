//! What is done from time to time: counting what waits for people, forgetting what is old, and trying
//! a key that does not work.

use crate::{App, store};

/// Shows how much waits for a person.
///
/// # Errors
/// If the database does not answer.
pub async fn count_waiting(app: &App) -> sqlx::Result<()> {
    let waiting = store::count_waiting_for_people(&mut *app.db.acquire().await?).await?;
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float, and nobody waits for 2^52 refunds")]
    let show = |name, count: i64| metrics::gauge!(name).set(count as f64);
    show("payment_refunds_manual", waiting.manual);
    show("payment_reviews", waiting.review);
    Ok(())
}

/// Forgets old notifications and old replies.
///
/// # Errors
/// If the database does not answer.
pub async fn forget_old(app: &App) -> sqlx::Result<()> {
    let mut db = app.db.acquire().await?;
    store::delete_old_notifications(&mut db).await?;
    store::delete_old_keys(&mut db).await?;
    Ok(())
}

/// Tries a key that Midtrans did not accept when it was last used; at the start, that is not known yet.
pub async fn check_key(app: &App) {
    if !app.midtrans.key_is_known_to_work() {
        app.midtrans.check_key().await;
    }
}
