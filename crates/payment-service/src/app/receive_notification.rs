//! A notification of Midtrans: its signature is checked, it is kept, and a worker is woken.

use crate::{
    App,
    store::{self, NewNotification},
};

/// The members of a notification that count here, as they came.
#[derive(Debug)]
pub struct Notice<'a> {
    /// What identifies it.
    pub new: NewNotification<'a>,
    /// Signed.
    pub status_code: &'a str,
    /// Signed.
    pub gross_amount: &'a str,
    /// The signature.
    pub signature_key: &'a str,
}

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
pub async fn receive_notification(app: &App, notice: &Notice<'_>) -> Result<(), ReceiveNotificationError> {
    let Notice { new, status_code, gross_amount, signature_key } = notice;
    if !app.midtrans.signed(new.midtrans_order_id, status_code, gross_amount, signature_key) {
        return Err(ReceiveNotificationError::Forged);
    }
    if store::insert_notification(&mut *app.db.acquire().await?, new).await? {
        app.wakes.notifications.notify_one();
    }
    Ok(())
}
