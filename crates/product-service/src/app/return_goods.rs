//! Goods of a paid order that could not be delivered are free again.

use contracts::{ProductId, events::Subject};

use crate::{
    AppState,
    domain::{
        allocation::Line,
        hold::{self, NotReturnable, OnReturn, Status},
    },
    store::{self, Movement, Reason},
};

/// Why goods could not be taken back.
#[derive(Debug, thiserror::Error)]
pub enum ReturnGoodsError {
    /// There never was such a product.
    #[error("unknown product")]
    Unknown,
    /// That many were not sold, or are not known to be sold yet.
    #[error(transparent)]
    NotReturnable(#[from] NotReturnable),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Takes goods of an order back, once for each of its products, and returns what is free of the product then. The last
/// product that comes back ends the hold.
///
/// # Errors
/// If they were not sold to this order.
pub async fn return_goods(state: &AppState, order: Subject, back: Line) -> Result<i64, ReturnGoodsError> {
    let order_id = order.order_id;
    let mut tx = state.db.begin().await?;
    // The caller waits for 2 s at most and asks again.
    store::limit_lock_waits(&mut tx).await?;
    let found = store::lock_hold(&mut tx, order_id).await?;
    if found.as_ref().is_some_and(|hold| !hold.is_of(&order)) {
        return Err(NotReturnable::NotSold.into());
    }
    let returned = store::list_returned(&mut tx, order_id).await?;
    let outcome = hold::returned(found.as_ref(), &returned, back)?;
    let shelves = store::lock_shelves(&mut tx, &[back.product_id.get()]).await?;
    let free = shelves.get(&back.product_id).ok_or(ReturnGoodsError::Unknown)?.free;
    if outcome == OnReturn::Same {
        return Ok(free);
    }
    let movement = Movement { order_id: Some(order_id), product_id: back.product_id, delta: back.quantity };
    store::insert_movements(&mut tx, Reason::Return, &[movement], None).await?;
    let deltas: [(ProductId, i64); 1] = [(back.product_id, back.quantity)];
    store::update_stock(&mut tx, &deltas.into()).await?;
    if outcome == OnReturn::FreeTheLast {
        let order = [order_id.get()];
        if !store::update_holds(&mut tx, &order, Status::Sold, Status::Returned, None).await? {
            return Err(NotReturnable::NotSold.into());
        }
    }
    tx.commit().await?;
    Ok(free + back.quantity)
}
