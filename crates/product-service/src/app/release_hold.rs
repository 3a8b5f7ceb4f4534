//! An order ended without a purchase: what was kept for it is free again.

use contracts::{
    OrderId, ProductId,
    events::{CancelCause, Event, OrderCancelled},
};
use messaging::HandlerError;
use sqlx::PgTransaction;

use super::require_same_order;
use crate::{
    domain::{
        allocation::Line,
        hold::{self, Hold, OnCancelled, Status},
    },
    store::{self, Movement, Reason},
};

/// Frees what is kept for an order that ended, or, if it was not seen yet, makes sure that it gets nothing.
///
/// # Errors
/// If the order is paid and was not cancelled by an administrator, or is being seen for the first time at this moment.
pub async fn release_hold(tx: &mut PgTransaction<'_>, event: &OrderCancelled) -> Result<(), HandlerError> {
    let (order_id, cause) = (event.order_id, event.cause);
    // A product that somebody keeps locked must not occupy every slot: the event is tried again.
    store::limit_lock_waits(tx).await?;
    let found = store::lock_hold(tx, order_id).await?;
    require_same_order(found.as_ref(), event.subject())?;
    match (hold::cancelled(found.as_ref(), cause), found) {
        (OnCancelled::Release, Some(found)) => {
            let end = End { to: Status::Released, reason: Reason::Release, cause };
            free(tx, order_id, &found, &[], end).await
        }
        (OnCancelled::Return, Some(found)) => {
            let returned = store::list_returned(tx, order_id).await?;
            let end = End { to: Status::Returned, reason: Reason::Return, cause };
            free(tx, order_id, &found, &returned, end).await
        }
        (OnCancelled::Same, _) => Ok(()),
        (OnCancelled::Reject, _) => {
            Err(HandlerError::reject("a paid order ended without an administrator's cancel"))
        }
        (OnCancelled::Bury | OnCancelled::Release | OnCancelled::Return, _) => {
            if store::insert_tombstone(tx, order_id, Some(event.user_id), cause).await? {
                return Ok(());
            }
            Err(HandlerError::retry("the order is being seen for the first time at this moment"))
        }
    }
}

/// How a hold ends.
struct End {
    to: Status,
    reason: Reason,
    cause: CancelCause,
}

/// Frees every line that is not free already.
async fn free(
    tx: &mut PgTransaction<'_>,
    order_id: OrderId,
    found: &Hold,
    returned: &[ProductId],
    End { to, reason, cause }: End,
) -> Result<(), HandlerError> {
    if !store::update_holds(tx, &[order_id.get()], found.status, to, Some(cause)).await? {
        return Err(HandlerError::retry("the hold changed meanwhile"));
    }
    let kept: Vec<&Line> = found.lines.iter().filter(|line| !returned.contains(&line.product_id)).collect();
    let products: Vec<i64> = kept.iter().map(|line| line.product_id.get()).collect();
    store::lock_shelves(tx, &products).await?;
    let movements: Vec<Movement> = kept
        .iter()
        .map(|line| Movement { order_id: Some(order_id), product_id: line.product_id, delta: line.quantity })
        .collect();
    store::insert_movements(tx, reason, &movements, None).await?;
    let deltas = kept.iter().map(|line| (line.product_id, line.quantity)).collect();
    Ok(store::update_stock(tx, &deltas).await?)
}
