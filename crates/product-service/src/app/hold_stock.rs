//! Keeping stock for new orders, many at a time.
//!
//! All products of a batch are locked once, in the order of their ids; then the units are given out in memory, in the
//! order in which the orders came. An order that cannot get all it asks for is refused, and the next one is looked at.

use std::collections::BTreeMap;

use chassis::context::Trace;
use contracts::{
    OrderId, ProductId,
    events::{Envelope, OrderCreated, StockInsufficient, StockReserved},
};
use messaging::{Fail, outbox};
use sqlx::PgTransaction;

use crate::{
    domain::{
        allocation::{self, Line, Refusal, Shelves},
        hold::{self, Hold, OnCreated, Status},
    },
    store::{self, Movement, NewHold, Reason},
};

/// An order as it came.
struct Order {
    id: OrderId,
    lines: Vec<Line>,
    trace: Trace,
}

/// What a batch comes to.
#[derive(Default)]
struct Decisions {
    /// Orders that were not known before, in the order in which they came.
    new: Vec<OrderId>,
    /// What each order is answered; a repeated one is answered again.
    answers: Vec<(OrderId, Trace)>,
}

/// Holds stock for new orders or refuses them, and answers. An order that is known already is answered again.
///
/// # Errors
/// If the items of an order are impossible, or another process holds one of the orders at this moment.
pub async fn hold_stock(tx: &mut PgTransaction<'_>, events: &[Envelope<OrderCreated>]) -> Result<(), Fail> {
    let orders = events.iter().map(order).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<i64> = orders.iter().map(|order| order.id.get()).collect();
    let mut holds = store::list_holds(tx, &ids).await?;
    let mut products: Vec<ProductId> = new_lines(&orders, &holds).map(|line| line.product_id).collect();
    products.sort_unstable();
    products.dedup();
    let mut shelves =
        if products.is_empty() { Shelves::new() } else { store::lock_shelves(tx, products).await? };
    let decisions = decide(&orders, &mut holds, &mut shelves);
    write(tx, &decisions.new, &holds).await?;
    answer(tx, decisions.answers, &holds).await
}

fn order(event: &Envelope<OrderCreated>) -> Result<Order, Fail> {
    let lines = allocation::lines(&event.event.items).map_err(|error| Fail::reject(error.to_string()))?;
    let trace = Trace::continued(Some(&event.meta.correlation_id), Some(&event.meta.traceparent));
    Ok(Order { id: event.event.order_id, lines, trace })
}

fn new_lines<'a>(orders: &'a [Order], holds: &'a BTreeMap<OrderId, Hold>) -> impl Iterator<Item = &'a Line> {
    orders.iter().filter(|order| !holds.contains_key(&order.id)).flat_map(|order| &order.lines)
}

/// Gives out the stock, in the order in which the orders came.
fn decide(orders: &[Order], holds: &mut BTreeMap<OrderId, Hold>, shelves: &mut Shelves) -> Decisions {
    let mut decisions = Decisions::default();
    for order in orders {
        match hold::created(holds.get(&order.id)) {
            OnCreated::Allocate => {
                let refusal = allocation::allocate(shelves, &order.lines).err();
                let status = if refusal.is_none() { Status::Held } else { Status::Refused };
                let lines = order.lines.clone();
                holds.insert(order.id, Hold { status, lines, refusal, cancel_cause: None });
                decisions.new.push(order.id);
            }
            OnCreated::AnswerAgain => {}
            OnCreated::Same => continue,
        }
        decisions.answers.push((order.id, order.trace.clone()));
    }
    decisions
}

/// Writes the new holds, and takes what they keep out of the free stock.
async fn write(
    tx: &mut PgTransaction<'_>,
    new: &[OrderId],
    holds: &BTreeMap<OrderId, Hold>,
) -> Result<(), Fail> {
    if new.is_empty() {
        return Ok(());
    }
    let rows: Vec<NewHold<'_>> = new.iter().filter_map(|id| Some(row(*id, holds.get(id)?))).collect();
    if !store::insert_holds(tx, &rows).await? {
        return Err(Fail::retry("another process handles the same order at this moment"));
    }
    let movements: Vec<Movement> = rows
        .iter()
        .filter(|row| row.status == Status::Held)
        .flat_map(|row| row.items.iter().map(|line| (row.order_id, line)))
        .map(|(order, line)| Movement {
            order_id: Some(order),
            product_id: line.product_id,
            delta: -line.quantity,
        })
        .collect();
    if movements.is_empty() {
        return Ok(());
    }
    let mut deltas = BTreeMap::new();
    for movement in &movements {
        *deltas.entry(movement.product_id).or_default() += movement.delta;
    }
    store::insert_movements(tx, Reason::Hold, &movements, None).await?;
    Ok(store::update_stock(tx, &deltas).await?)
}

fn row(order_id: OrderId, hold: &Hold) -> NewHold<'_> {
    NewHold { order_id, status: hold.status, items: &hold.lines, refusal: hold.refusal.as_ref() }
}

async fn answer(
    tx: &mut PgTransaction<'_>,
    answers: Vec<(OrderId, Trace)>,
    holds: &BTreeMap<OrderId, Hold>,
) -> Result<(), Fail> {
    let (mut reserved, mut insufficient) = (Vec::new(), Vec::new());
    for (order_id, trace) in answers {
        match holds.get(&order_id).and_then(|hold| hold.refusal.clone()) {
            None => reserved.push((trace, StockReserved { order_id })),
            Some(Refusal { reason, items }) => {
                insufficient.push((trace, StockInsufficient { order_id, reason, items }));
            }
        }
    }
    if !reserved.is_empty() {
        outbox::append_all(tx, reserved).await?;
    }
    if !insufficient.is_empty() {
        outbox::append_all(tx, insufficient).await?;
    }
    Ok(())
}
