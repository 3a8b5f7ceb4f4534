//! A notification of Midtrans: its signature is checked, it is kept, and a worker is woken.

use std::time::Duration;

use jobs::{Job, Queue};

use crate::{
    AppState,
    app::HandleNotification,
    store::{self, NewNotification},
};

/// Why a notification is not kept.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveNotificationError {
    /// It does not come from Midtrans.
    #[error("the signature is wrong")]
    Forged,
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Keeps a notification, once.
///
/// # Errors
/// If it is forged or cannot be kept.
pub async fn receive_notification(
    state: &AppState,
    new: &NewNotification<'_>,
    signature_key: &str,
) -> Result<(), ReceiveNotificationError> {
    if !state.midtrans.signed(new.midtrans_order_id, new.status_code, new.gross_amount, signature_key) {
        return Err(ReceiveNotificationError::Forged);
    }
    let mut tx = state.db.begin().await?;
    let kept = store::insert_notification(&mut tx, new).await?;
    let delay = Duration::try_from_secs_f64(kept.delay).unwrap_or_default();
    Queue::enqueue(&mut tx, [HandleNotification::of(&kept.id).after(delay)]).await?;
    tx.commit().await?;
    state.jobs.wake();
    Ok(())
}
