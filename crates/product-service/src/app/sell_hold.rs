//! What was kept for an order is sold.

use contracts::OrderId;
use messaging::Fail;
use sqlx::PgTransaction;

use crate::{
    domain::hold::{self, OnPaid, Status},
    store::{self, Movement, Reason},
};

/// Books the sale of what is held for an order that was paid.
///
/// # Errors
/// If the order is not known yet, or nothing was kept for it.
pub async fn sell_hold(tx: &mut PgTransaction<'_>, order_id: OrderId) -> Result<(), Fail> {
    let found = store::lock_hold(tx, order_id).await?;
    match (hold::paid(found.as_ref()), found) {
        (OnPaid::Sell, Some(found)) => {
            if !store::update_hold(tx, order_id, found.status, Status::Sold, None).await? {
                return Err(Fail::retry("the hold changed meanwhile"));
            }
            let sale = |product_id| Movement { order_id: Some(order_id), product_id, delta: 0 };
            let sales: Vec<_> = found.lines.iter().map(|line| sale(line.product_id)).collect();
            Ok(store::insert_movements(tx, Reason::Sale, &sales, None).await?)
        }
        (OnPaid::Same, _) => Ok(()),
        (OnPaid::Note, _) => {
            tracing::info!(order.id = %order_id, "paid, but an administrator cancelled it meanwhile");
            Ok(())
        }
        (OnPaid::Wait, _) | (OnPaid::Sell, None) => Err(Fail::not_yet("OrderCreated has not come yet")),
        (OnPaid::Reject, _) => Err(Fail::reject("an order was paid for which nothing is kept")),
    }
}
