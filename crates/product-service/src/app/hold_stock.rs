//! Keeping stock for new orders, many at a time.
//!
//! All products of a batch are locked once, in the order of their ids; then the units are given out in memory, in the
//! order in which the orders came. An order that cannot get all it asks for is refused, and the next one is looked at. A
//! product that somebody keeps locked holds up the orders that need it, and no other.

use std::collections::{BTreeMap, BTreeSet};

use chassis::context::Trace;
use contracts::{
    OrderId, ProductId,
    events::{Envelope, Event, OrderCreated, StockInsufficient, StockReserved, Subject},
};
use messaging::{HandlerError, Outcomes, outbox};
use sqlx::PgTransaction;

use super::{lock_rows::lock_shelves, require_same_order};
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
    subject: Option<Subject>,
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
    /// What became of each event.
    outcomes: Outcomes,
}

/// What a batch may give out.
#[derive(Default)]
struct Stock {
    shelves: Shelves,
    /// Products that another transaction keeps locked.
    locked: BTreeSet<ProductId>,
}

/// Holds stock for new orders or refuses them, and answers. An order that is known already is answered again. One whose
/// items are impossible is rejected alone, and one that needs a product which somebody keeps locked is tried again alone.
///
/// # Errors
/// If another process holds one of the orders at this moment.
pub async fn hold_stock(
    tx: &mut PgTransaction<'_>,
    events: &[Envelope<OrderCreated>],
) -> Result<Outcomes, HandlerError> {
    let orders: Vec<Result<Order, HandlerError>> = events.iter().map(order).collect();
    let ids: Vec<i64> = orders.iter().flatten().map(|order| order.id.get()).collect();
    let mut holds = store::list_holds(tx, &ids).await?;
    let mut stock = lock_stock(tx, &orders, &holds).await?;
    let decisions = decide(orders, &mut holds, &mut stock);
    write(tx, &decisions.new, &holds).await?;
    answer(tx, decisions.answers, &holds).await?;
    Ok(decisions.outcomes)
}

async fn lock_stock(
    tx: &mut PgTransaction<'_>,
    orders: &[Result<Order, HandlerError>],
    holds: &BTreeMap<OrderId, Hold>,
) -> sqlx::Result<Stock> {
    let new = orders.iter().flatten().filter(|order| !holds.contains_key(&order.id));
    let products: BTreeSet<i64> =
        new.flat_map(|order| &order.lines).map(|line| line.product_id.get()).collect();
    if products.is_empty() {
        return Ok(Stock::default());
    }
    let products: Vec<i64> = products.into_iter().collect();
    let (shelves, locked) = lock_shelves(tx, &products).await?;
    Ok(Stock { shelves, locked })
}

fn order(event: &Envelope<OrderCreated>) -> Result<Order, HandlerError> {
    let lines =
        allocation::lines(&event.event.items).map_err(|error| HandlerError::reject(error.to_string()))?;
    let trace = Trace::continued(Some(&event.meta.correlation_id), Some(&event.meta.traceparent));
    Ok(Order { id: event.event.order_id, subject: event.event.subject(), lines, trace })
}

/// Gives out the stock, in the order in which the orders came.
fn decide(
    orders: Vec<Result<Order, HandlerError>>,
    holds: &mut BTreeMap<OrderId, Hold>,
    stock: &mut Stock,
) -> Decisions {
    let mut decisions = Decisions::default();
    for order in orders {
        let outcome = order.and_then(|order| decide_one(order, holds, stock, &mut decisions));
        decisions.outcomes.push(outcome);
    }
    decisions
}

fn decide_one(
    Order { id, subject, lines, trace }: Order,
    holds: &mut BTreeMap<OrderId, Hold>,
    Stock { shelves, locked }: &mut Stock,
    decisions: &mut Decisions,
) -> Result<(), HandlerError> {
    require_same_order(holds.get(&id), subject)?;
    match hold::created(holds.get(&id)) {
        OnCreated::Allocate => {
            if lines.iter().any(|line| locked.contains(&line.product_id)) {
                return Err(HandlerError::retry("somebody keeps a product of the order locked"));
            }
            let refusal = allocation::allocate(shelves, &lines).err();
            let status = if refusal.is_none() { Status::Held } else { Status::Refused };
            let (user_id, total_amount) = subject.map(|of| (of.user_id, of.total_amount)).unwrap_or_default();
            holds.insert(id, Hold { status, lines, refusal, cancel_cause: None, user_id, total_amount });
            decisions.new.push(id);
        }
        OnCreated::AnswerAgain => {}
        OnCreated::Same => return Ok(()),
    }
    decisions.answers.push((id, trace));
    Ok(())
}

/// Writes the new holds, and takes what they keep out of the free stock.
async fn write(
    tx: &mut PgTransaction<'_>,
    new: &[OrderId],
    holds: &BTreeMap<OrderId, Hold>,
) -> Result<(), HandlerError> {
    if new.is_empty() {
        return Ok(());
    }
    let rows: Vec<NewHold<'_>> = new.iter().filter_map(|id| Some(row(*id, holds.get(id)?))).collect();
    if !store::insert_holds(tx, &rows).await? {
        return Err(HandlerError::retry("another process handles the same order at this moment"));
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
    NewHold {
        order_id,
        status: hold.status,
        items: &hold.lines,
        refusal: hold.refusal.as_ref(),
        user_id: hold.user_id,
        total_amount: hold.total_amount,
    }
}

async fn answer(
    tx: &mut PgTransaction<'_>,
    answers: Vec<(OrderId, Trace)>,
    holds: &BTreeMap<OrderId, Hold>,
) -> Result<(), HandlerError> {
    let (mut reserved, mut insufficient) = (Vec::new(), Vec::new());
    for (order_id, trace) in answers {
        let Some(hold) = holds.get(&order_id) else { continue };
        let user_id = hold.user_id;
        match hold.refusal.clone() {
            None => reserved.push((trace, StockReserved { order_id, user_id })),
            Some(Refusal { reason, items }) => {
                insufficient.push((trace, StockInsufficient { order_id, user_id, reason, items }));
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
