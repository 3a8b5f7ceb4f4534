//! `OrderPaid`: holds become sales, many at a time.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    OrderId,
    events::{Envelope, Event, OrderPaid},
};
use messaging::{HandlerError, Outcomes};
use sqlx::PgTransaction;

use super::{lock_rows::lock_holds, move_stock::move_stock, require_same_order};
use crate::{
    domain::{
        hold::{Effect, Hold, Input, Status, Transition},
        movement::{Movement, Reason},
    },
    store,
};

/// The holds of a batch, locked.
struct Holds {
    known: BTreeMap<OrderId, Hold>,
    /// Orders whose holds another transaction keeps locked.
    locked: BTreeSet<OrderId>,
}

/// Records the sales of what is held for orders that were paid. Each event has its own outcome: an order that is not
/// known yet or is locked by another transaction waits alone, one for which nothing was held is rejected alone.
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
    let mut sell = |Envelope { event, .. }: &Envelope<OrderPaid>| {
        let Transition { to, effects } = decide(event, &holds)?;
        if effects.contains(&Effect::LogLatePayment) {
            tracing::info!(order.id = %event.order_id, "order was paid after an administrator cancelled it");
        }
        if effects.contains(&Effect::MoveStock(Reason::Sale))
            && let Some(hold) = holds.known.get_mut(&event.order_id)
        {
            hold.status = to;
            sold.push(event.order_id.get());
            let sale = |line| Movement::of_order(event.order_id, line, Reason::Sale);
            sales.extend(hold.lines.iter().map(sale));
        }
        Ok(())
    };
    let outcomes = events.iter().map(&mut sell).collect();
    if !sold.is_empty() && !store::move_holds(tx, &sold, Status::Held, Status::Sold, None).await? {
        return Err(HandlerError::retry("a hold changed meanwhile"));
    }
    move_stock(tx, Reason::Sale, &sales).await?;
    Ok(outcomes)
}

fn decide(event: &OrderPaid, holds: &Holds) -> Result<Transition, HandlerError> {
    if holds.locked.contains(&event.order_id) {
        return Err(HandlerError::retry("another transaction keeps the order locked"));
    }
    let found = holds.known.get(&event.order_id);
    require_same_order(found, event.subject())?;
    Ok(Hold::on(found, Input::Paid)?)
}
