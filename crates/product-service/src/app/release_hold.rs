//! `OrderCancelled`: what was held for the order is free again.

use contracts::{
    OrderId, ProductId,
    events::{Event, OrderCancelled},
};
use messaging::HandlerError;
use sqlx::PgTransaction;

use super::{move_stock::move_stock, require_same_order};
use crate::{
    domain::{
        allocation::Line,
        hold::{Hold, Input},
        movement::{Movement, Reason},
    },
    store,
};

/// Frees what is held for an order that ended, or, if the order is not known yet, makes sure that it gets nothing.
///
/// # Errors
/// If the order is paid and was not cancelled by an administrator, or another process inserts its hold at this moment.
pub async fn release_hold(tx: &mut PgTransaction<'_>, event: &OrderCancelled) -> Result<(), HandlerError> {
    let (order_id, cause) = (event.order_id, event.cause);
    // A product that another transaction keeps locked must not occupy every slot: the event is tried again.
    store::limit_lock_waits(tx).await?;
    let found = store::lock_hold(tx, order_id).await?;
    require_same_order(found.as_ref(), event.subject())?;
    let transition = Hold::on(found.as_ref(), Input::Cancelled(cause))?;
    let Some(hold) = found else {
        if store::insert_tombstone(tx, order_id, Some(event.user_id), cause).await? {
            return Ok(());
        }
        return Err(HandlerError::retry("another process inserts the order's hold at this moment"));
    };
    let Some(reason) = transition.stock() else { return Ok(()) };
    if !store::move_holds(tx, &[order_id.get()], hold.status, transition.to, Some(cause)).await? {
        return Err(HandlerError::retry("the hold changed meanwhile"));
    }
    let returned =
        if reason == Reason::Return { store::list_returned(tx, order_id).await? } else { Vec::new() };
    free(tx, order_id, &hold, &returned, reason).await
}

/// Frees every line that has not been returned before.
async fn free(
    tx: &mut PgTransaction<'_>,
    order_id: OrderId,
    hold: &Hold,
    returned: &[ProductId],
    reason: Reason,
) -> Result<(), HandlerError> {
    let kept: Vec<&Line> = hold.lines.iter().filter(|line| !returned.contains(&line.product_id)).collect();
    let products: Vec<i64> = kept.iter().map(|line| line.product_id.get()).collect();
    store::lock_stock_levels(tx, &products).await?;
    let movements: Vec<Movement> =
        kept.iter().map(|line| Movement::of_order(order_id, line, reason)).collect();
    Ok(move_stock(tx, reason, &movements).await?)
}
