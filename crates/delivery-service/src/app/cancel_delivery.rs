//! order-service stops the delivery of an order that an administrator cancels.

use chassis::database::commit;
use contracts::{OrderId, UserId};

use crate::{
    AppState,
    domain::{Input, Transition},
    store::{self, Move},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// The goods will not leave, now or later.
    Cancelled,
    /// The goods have left: it cannot be stopped any more.
    Shipped,
}

#[derive(Debug, thiserror::Error)]
pub enum CancelDeliveryError {
    /// The delivery is for another order that had the same number.
    #[error("the delivery is another buyer's")]
    Mismatch,
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
) -> Result<CancelOutcome, CancelDeliveryError> {
    let mut tx = state.db.begin().await?;
    // What is inserted between the two statements is found the next time.
    let found = loop {
        if let Some(found) = store::lock_by_order(&mut tx, order_id).await? {
            break found;
        }
        if store::insert_tombstone(&mut tx, order_id).await? {
            commit(tx).await?;
            return Ok(CancelOutcome::Cancelled);
        }
    };
    if !found.is_of(user_id) {
        return Err(CancelDeliveryError::Mismatch);
    }
    let Ok(Transition { to, .. }) = found.status.on(Input::Cancel) else { return Ok(CancelOutcome::Shipped) };
    if to != found.status {
        let change = Move { id: found.id, from: found.status, to, tracking_number: None, note: None };
        store::move_deliveries(&mut tx, &[change]).await?;
    }
    commit(tx).await?;
    Ok(CancelOutcome::Cancelled)
}
