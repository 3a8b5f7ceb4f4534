//! `OrderPaid`: holds become sales, many at a time.

use std::collections::BTreeMap;

use contracts::{
    OrderId,
    events::{Event, OrderPaid},
};
use messaging::{HandlerError, Outcomes, Received};
use sqlx::PgTransaction;

use super::{move_stock::move_stock, require_same_order};
use crate::{
    domain::{
        hold::{Effect, Hold, Input, Transition},
        movement::{Movement, Reason},
    },
    store::{self, HoldMove},
};

/// Records the sales of what is held for orders that were paid. Each event has its own outcome: an order that is not
/// known yet waits alone, one for which nothing was held is rejected alone.
///
/// # Errors
/// If a hold is locked by another transaction, or changed although it was locked by this one.
pub async fn sell_holds(
    tx: &mut PgTransaction<'_>,
    events: &[Received<OrderPaid>],
) -> Result<Outcomes, HandlerError> {
    let orders: Vec<i64> = events.iter().map(|received| received.event.order_id.get()).collect();
    let mut holds = store::lock_holds(tx, &orders).await?;
    let (mut moves, mut sales) = (Vec::new(), Vec::new());
    let mut outcomes = Outcomes::new();
    for received in events {
        outcomes.push(sell(received, &mut holds, &mut moves, &mut sales));
    }
    store::move_holds(tx, &moves).await?;
    move_stock(tx, Reason::Sale, &sales).await?;
    Ok(outcomes)
}

fn sell(
    Received { event, trace, .. }: &Received<OrderPaid>,
    holds: &mut BTreeMap<OrderId, Hold>,
    moves: &mut Vec<HoldMove>,
    sales: &mut Vec<Movement>,
) -> Result<(), HandlerError> {
    let order_id = event.order_id;
    let found = holds.get_mut(&order_id);
    require_same_order(found.as_deref(), event.subject())?;
    let Transition { to, effects } = Hold::on(found.as_deref(), Input::Paid)?;
    if effects.contains(&Effect::LogLatePayment) {
        let correlation_id = &trace.correlation_id;
        tracing::info!(order.id = %order_id, correlation_id, "order was paid after an administrator cancelled it");
    }
    if effects.contains(&Effect::MoveStock(Reason::Sale))
        && let Some(hold) = found
    {
        let from = std::mem::replace(&mut hold.status, to);
        moves.push(HoldMove { order_id, from, to, cause: None });
        sales.extend(hold.lines.iter().map(|line| Movement::of_order(order_id, line, Reason::Sale)));
    }
    Ok(())
}
