//! order-service stops the delivery of an order that an administrator cancels.

use contracts::{OrderId, UserId};

use crate::{
    AppState,
    domain::{Cancellation, Status},
    store::{self, Move},
};

/// What became of the wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The goods will not leave.
    Cancelled,
    /// They have left.
    Shipped,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum CancelDeliveryError {
    /// The delivery is for another order that had the same number.
    #[error("the delivery is another buyer's")]
    Mismatch,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Stops a delivery that has not left, or makes sure that one which is not known yet never starts.
///
/// # Errors
/// As listed by [`CancelDeliveryError`].
pub async fn cancel_delivery(
    state: &AppState,
    order_id: OrderId,
    user_id: Option<UserId>,
) -> Result<Outcome, CancelDeliveryError> {
    let mut tx = state.db.begin().await?;
    // A step that finds the delivery changed since it was read does nothing; then the question is asked again.
    let outcome = loop {
        let Some(found) = store::find_by_order(&mut tx, order_id).await? else {
            if store::insert_tombstone(&mut tx, order_id).await? {
                break Outcome::Cancelled;
            }
            continue;
        };
        if !found.is_of(user_id) {
            return Err(CancelDeliveryError::Mismatch);
        }
        match found.status.cancel() {
            Cancellation::TooLate => break Outcome::Shipped,
            Cancellation::AlreadyStopped => break Outcome::Cancelled,
            Cancellation::Stopped => {
                let (from, to) = (found.status, Status::Cancelled);
                let change = Move { id: found.id, from, to, tracking_number: None, note: None };
                if store::update_status(&mut tx, &change).await? {
                    break Outcome::Cancelled;
                }
            }
        }
    };
    tx.commit().await?;
    Ok(outcome)
}
