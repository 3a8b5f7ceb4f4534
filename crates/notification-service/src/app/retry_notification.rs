//! An administrator has a notification sent once more.

use chassis::database::commit;
use contracts::NotificationId;
use jobs::{Job, Queue};

use crate::{AppState, app::SendNotification, domain::State, store};

/// Why there is nothing to be sent again.
#[derive(Debug, thiserror::Error)]
pub enum RetryNotificationError {
    #[error("no such notification")]
    Unknown,
    #[error("a notification that is {0} is not sent again")]
    NotRetriable(State),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Sends a notification again that bounced or was given up.
///
/// # Errors
/// If there is no such notification, or it is in another state.
pub async fn retry_notification(
    state: &AppState,
    id: NotificationId,
) -> Result<store::Row, RetryNotificationError> {
    let mut tx = state.db.begin().await?;
    let found = store::find_notification(&mut tx, id).await?.ok_or(RetryNotificationError::Unknown)?;
    let Some(retried) = store::reopen_notification(&mut tx, id).await? else {
        return Err(RetryNotificationError::NotRetriable(found.state));
    };
    Queue::enqueue(&mut tx, [SendNotification::of(&id).now()]).await?;
    commit(tx).await?;
    state.jobs.wake();
    Ok(retried)
}
