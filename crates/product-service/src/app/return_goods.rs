//! Goods of a paid order that could not be delivered are free again.

use chassis::database::commit;
use contracts::{ProductId, events::Subject};

use super::move_stock::move_stock;
use crate::{
    AppState,
    domain::{
        allocation::Line,
        hold::{Hold, Input, Rejection},
        movement::Movement,
    },
    store::{self, HoldMove},
};

#[derive(Debug, thiserror::Error)]
pub enum ReturnGoodsError {
    #[error("unknown product")]
    Unknown,
    /// They were not sold to this order, or are not known to be sold yet.
    #[error(transparent)]
    NotReturnable(#[from] Rejection),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Takes goods of an order back, once for each of its products, and returns what is free of the product then. The last
/// product that comes back ends the hold.
///
/// # Errors
/// If they were not sold to this order.
pub async fn return_goods(state: &AppState, order: Subject, line: Line) -> Result<i64, ReturnGoodsError> {
    let order_id = order.order_id;
    let mut tx = state.db.begin().await?;
    // The caller waits for 2 s at most and asks again.
    store::limit_lock_waits(&mut tx).await?;
    let hold = store::lock_hold(&mut tx, order_id).await?.filter(|hold| hold.is_of(&order));
    let before = store::list_returned(&mut tx, &[order_id.get()]).await?;
    let before: Vec<ProductId> = before.into_iter().map(|(_, product)| product).collect();
    let transition = Hold::on(hold.as_ref(), Input::Returned { line, before: &before })?;
    let levels = store::lock_stock_levels(&mut tx, &[line.product_id.get()]).await?;
    let free = levels.get(&line.product_id).ok_or(ReturnGoodsError::Unknown)?.free;
    let Some(reason) = transition.stock() else { return Ok(free) };
    move_stock(&mut tx, reason, &[Movement::of_order(order_id, &line, reason)]).await?;
    if let Some(Hold { status: from, .. }) = hold.filter(|hold| hold.status != transition.to) {
        let change = HoldMove { order_id, from, to: transition.to, cause: None };
        store::move_holds(&mut tx, &[change]).await?;
    }
    commit(tx).await?;
    state.catalogue.stock_changed([line.product_id]);
    Ok(free + line.quantity)
}
