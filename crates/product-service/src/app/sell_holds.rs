//! What was kept for orders is sold, many at a time.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    OrderId,
    events::{Envelope, Event, OrderPaid},
};
use messaging::{HandlerError, Outcomes};
use sqlx::PgTransaction;

use super::{lock_rows::lock_holds, require_same_order};
use crate::{
    domain::hold::{self, Hold, OnPaid, Status},
    store::{self, Movement, Reason},
};

/// What is known of the orders of a batch, locked.
struct Holds {
    known: BTreeMap<OrderId, Hold>,
    /// Orders that another transaction keeps locked.
    locked: BTreeSet<OrderId>,
}

/// Books the sales of what is held for orders that were paid. Each event has its own outcome: an order that is not known
/// yet or is locked by somebody else waits alone, one for which nothing was kept is rejected alone.
///
/// # Errors
/// If a hold changed although it was locked.
pub async fn sell_holds(
    tx: &mut PgTransaction<'_>,
    events: &[Envelope<OrderPaid>],
) -> Result<Outcomes, HandlerError> {
    let orders: Vec<i64> = events.iter().map(|event| event.event.order_id.get()).collect();
    let (known, locked) = lock_holds(tx, &orders).await?;
    let mut holds = Holds { known, locked };
    let (mut sold, mut sales) = (Vec::new(), Vec::new());
    let mut sell = |event: &OrderPaid| {
        let order_id = event.order_id;
        let Some(hold) = decide(event, &mut holds)? else { return Ok(()) };
        hold.status = Status::Sold;
        sold.push(order_id.get());
        let sale = |product_id| Movement { order_id: Some(order_id), product_id, delta: 0 };
        sales.extend(hold.lines.iter().map(|line| sale(line.product_id)));
        Ok(())
    };
    let outcomes = events.iter().map(|event| sell(&event.event)).collect();
    if sold.is_empty() {
        return Ok(outcomes);
    }
    if !store::update_holds(tx, &sold, Status::Held, Status::Sold, None).await? {
        return Err(HandlerError::retry("a hold changed meanwhile"));
    }
    store::insert_movements(tx, Reason::Sale, &sales, None).await?;
    Ok(outcomes)
}

/// The hold, if it is to be sold.
fn decide<'a>(event: &OrderPaid, holds: &'a mut Holds) -> Result<Option<&'a mut Hold>, HandlerError> {
    let order_id = event.order_id;
    if holds.locked.contains(&order_id) {
        return Err(HandlerError::retry("somebody keeps the order locked"));
    }
    let found = holds.known.get_mut(&order_id);
    require_same_order(found.as_deref(), event.subject())?;
    match hold::paid(found.as_deref()) {
        OnPaid::Sell => Ok(found),
        OnPaid::Same => Ok(None),
        OnPaid::Note => {
            tracing::info!(order.id = %order_id, "paid, but an administrator cancelled it meanwhile");
            Ok(None)
        }
        OnPaid::Wait => Err(HandlerError::not_yet("OrderCreated has not come yet")),
        OnPaid::Reject => Err(HandlerError::reject("an order was paid for which nothing is kept")),
    }
}
