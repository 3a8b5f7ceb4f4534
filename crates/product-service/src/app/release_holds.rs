//! `OrderCancelled`: what was held for the orders is free again.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    OrderId, ProductId,
    events::{Event, OrderCancelled},
};
use messaging::{HandlerError, Outcomes, Received};
use sqlx::PgTransaction;

use super::{move_stock::move_stock, require_same_order};
use crate::{
    domain::{
        hold::{Hold, Input},
        movement::{Movement, Reason},
    },
    store::{self, HoldMove, NewTombstone},
};

/// What is to be written for a batch.
#[derive(Default)]
struct Decisions {
    moves: Vec<HoldMove>,
    tombstones: Vec<NewTombstone>,
    /// Whose units come free, and why.
    freed: Vec<(OrderId, Reason)>,
}

/// Frees what is held for orders that ended, or, if an order is not known yet, makes sure that it gets nothing. An order
/// that is paid and was not cancelled by an administrator is rejected alone.
///
/// # Errors
/// If another process inserts the hold of one of the orders at this moment.
pub async fn release_holds(
    tx: &mut PgTransaction<'_>,
    events: &[Received<OrderCancelled>],
) -> Result<Outcomes, HandlerError> {
    let orders: Vec<i64> = events.iter().map(|received| received.event.order_id.get()).collect();
    let mut holds = store::lock_holds(tx, &orders).await?;
    let mut decisions = Decisions::default();
    let outcomes =
        events.iter().map(|received| decide(&received.event, &mut holds, &mut decisions)).collect();
    if !store::insert_tombstones(tx, &decisions.tombstones).await? {
        return Err(HandlerError::retry("another process inserts the hold of an order at this moment"));
    }
    store::move_holds(tx, &decisions.moves).await?;
    free(tx, &holds, &decisions.freed).await?;
    Ok(outcomes)
}

fn decide(
    event: &OrderCancelled,
    holds: &mut BTreeMap<OrderId, Hold>,
    decisions: &mut Decisions,
) -> Result<(), HandlerError> {
    let (order_id, cause) = (event.order_id, event.cause);
    let found = holds.get_mut(&order_id);
    require_same_order(found.as_deref(), event.subject())?;
    let transition = Hold::on(found.as_deref(), Input::Cancelled(cause))?;
    let Some(hold) = found else {
        decisions.tombstones.push(NewTombstone { order_id, user_id: event.user_id, cause });
        holds.insert(order_id, Hold::tombstone(event.user_id, cause));
        return Ok(());
    };
    if let Some(reason) = transition.stock() {
        let from = std::mem::replace(&mut hold.status, transition.to);
        decisions.moves.push(HoldMove { order_id, from, to: transition.to, cause: Some(cause) });
        decisions.freed.push((order_id, reason));
    }
    Ok(())
}

/// Frees every line that has not been returned before.
async fn free(
    tx: &mut PgTransaction<'_>,
    holds: &BTreeMap<OrderId, Hold>,
    freed: &[(OrderId, Reason)],
) -> sqlx::Result<()> {
    let of = |reason| freed.iter().filter(move |(_, why)| *why == reason).map(|(order, _)| *order);
    let sold: Vec<i64> = of(Reason::Return).map(OrderId::get).collect();
    let returned = if sold.is_empty() { Vec::new() } else { store::list_returned(tx, &sold).await? };
    let movements = |reason| -> Vec<Movement> {
        let lines = of(reason).filter_map(|order| Some((order, holds.get(&order)?)));
        let lines = lines.flat_map(|(order, hold)| hold.lines.iter().map(move |line| (order, line)));
        let kept = lines.filter(|(order, line)| !returned.contains(&(*order, line.product_id)));
        kept.map(|(order, line)| Movement::of_order(order, line, reason)).collect()
    };
    let (releases, returns) = (movements(Reason::Release), movements(Reason::Return));
    let products = releases.iter().chain(&returns).map(|movement| movement.product_id);
    let products: BTreeSet<ProductId> = products.collect();
    if products.is_empty() {
        return Ok(());
    }
    store::lock_stock_levels(tx, &products.iter().map(|id| id.get()).collect::<Vec<_>>()).await?;
    move_stock(tx, Reason::Release, &releases).await?;
    move_stock(tx, Reason::Return, &returns).await
}
