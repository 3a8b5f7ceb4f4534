//! A notification of Midtrans: its signature is checked, it is kept, and a worker is woken.

use std::time::Duration;

use chassis::{database::commit, group_commit::Commit};
use jobs::{Job, Queue};

use crate::{
    AppState,
    app::HandleNotification,
    store::{self, Kept, NewNotification},
};

/// Why a notification is not kept.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveNotificationError {
    /// It does not come from Midtrans.
    #[error("the signature is wrong")]
    Forged,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Keeps a notification, once.
///
/// # Errors
/// If it is forged or cannot be kept.
pub async fn receive_notification(
    state: &AppState,
    new: NewNotification,
    signature_key: &str,
) -> Result<(), ReceiveNotificationError> {
    let NewNotification { midtrans_order_id, status_code, gross_amount, .. } = &new;
    if !state.midtrans.signed(midtrans_order_id, status_code, gross_amount, signature_key) {
        return Err(ReceiveNotificationError::Forged);
    }
    Ok(state.notifications.submit(state, new).await.map_err(sqlx::Error::from)?)
}

impl Commit for NewNotification {
    type State = AppState;
    type Reply = ();
    type Error = sqlx::Error;

    async fn commit(state: &AppState, group: &[Self]) -> sqlx::Result<Vec<()>> {
        let mut tx = state.db.begin().await?;
        let kept = store::insert_notifications(&mut tx, group).await?;
        let job = |kept: &Kept| {
            let delay = Duration::try_from_secs_f64(kept.delay).unwrap_or_default();
            HandleNotification::of(&kept.id).after(delay)
        };
        Queue::enqueue(&mut tx, kept.iter().map(job)).await?;
        commit(tx).await?;
        state.jobs.wake();
        Ok(vec![(); group.len()])
    }
}
