//! A notification of Midtrans: its signature is checked, it is kept, and a worker is woken.

use crate::{
    App,
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
    app: &App,
    new: &NewNotification<'_>,
    signature_key: &str,
) -> Result<(), ReceiveNotificationError> {
    if !app.midtrans.signed(new.midtrans_order_id, new.status_code, new.gross_amount, signature_key) {
        return Err(ReceiveNotificationError::Forged);
    }
    store::insert_notification(&mut *app.db.acquire().await?, new).await?;
    app.wakes.notifications.notify_one();
    Ok(())
}
