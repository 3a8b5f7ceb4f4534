//! What was kept for orders is sold, many at a time.

use contracts::{OrderId, events::Envelope, events::OrderPaid};
use messaging::Fail;
use sqlx::PgTransaction;

use crate::{
    domain::hold::{self, Hold, OnPaid, Status},
    store::{self, Movement, Reason},
};

/// Books the sales of what is held for orders that were paid.
///
/// # Errors
/// If one of the orders is not known yet, or nothing was kept for it.
pub async fn sell_holds(tx: &mut PgTransaction<'_>, events: &[Envelope<OrderPaid>]) -> Result<(), Fail> {
    let orders: Vec<i64> = events.iter().map(|event| event.event.order_id.get()).collect();
    let mut holds = store::lock_holds(tx, &orders).await?;
    let (mut sold, mut sales) = (Vec::new(), Vec::new());
    for order_id in events.iter().map(|event| event.event.order_id) {
        let found = holds.get_mut(&order_id);
        if let Some(hold) = decide(order_id, found)? {
            hold.status = Status::Sold;
            sold.push(order_id.get());
            let sale = |product_id| Movement { order_id: Some(order_id), product_id, delta: 0 };
            sales.extend(hold.lines.iter().map(|line| sale(line.product_id)));
        }
    }
    if sold.is_empty() {
        return Ok(());
    }
    if !store::update_holds(tx, &sold, Status::Held, Status::Sold, None).await? {
        return Err(Fail::retry("a hold changed meanwhile"));
    }
    Ok(store::insert_movements(tx, Reason::Sale, &sales, None).await?)
}

/// The hold, if it is to be sold.
fn decide(order_id: OrderId, found: Option<&mut Hold>) -> Result<Option<&mut Hold>, Fail> {
    match hold::paid(found.as_deref()) {
        OnPaid::Sell => Ok(found),
        OnPaid::Same => Ok(None),
        OnPaid::Note => {
            tracing::info!(order.id = %order_id, "paid, but an administrator cancelled it meanwhile");
            Ok(None)
        }
        OnPaid::Wait => Err(Fail::not_yet("OrderCreated has not come yet")),
        OnPaid::Reject => Err(Fail::reject("an order was paid for which nothing is kept")),
    }
}
