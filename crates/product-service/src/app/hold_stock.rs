//! `OrderCreated`: stock is held for new orders, many at a time.
//!
//! All products of a batch are locked once, in the order of their ids; then the units are allocated in memory, in the
//! order in which the orders came. An order that cannot get all it asks for is refused, and the next one is decided. A
//! product that another transaction keeps locked delays the orders that need it, and no other.

use std::collections::{BTreeMap, BTreeSet};

use chassis::context::Trace;
use contracts::{
    OrderId, ProductId,
    events::{Event, OrderCreated, StockInsufficient, StockReserved, Subject},
};
use messaging::{HandlerError, Outcomes, Received, outbox};
use sqlx::PgTransaction;

use super::{lock_rows::lock_stock_levels, move_stock::move_stock, require_same_order};
use crate::{
    domain::{
        allocation::{self, Line, Refusal, StockLevels},
        hold::{Effect, Hold, Input},
        movement::{Movement, Reason},
    },
    store::{self, NewHold},
};

struct Order {
    id: OrderId,
    subject: Option<Subject>,
    lines: Vec<Line>,
    trace: Trace,
}

/// What is to be written for a batch.
#[derive(Default)]
struct Decisions {
    /// Orders without a hold before, in the order in which they came.
    new: Vec<OrderId>,
    /// The units that they take out of the free stock.
    movements: Vec<Movement>,
    /// Orders to publish an answer for, also again.
    answers: Vec<(OrderId, Trace)>,
    outcomes: Outcomes,
}

#[derive(Default)]
struct Stock {
    levels: StockLevels,
    /// Products that another transaction keeps locked.
    locked: BTreeSet<ProductId>,
}

/// Holds stock for new orders or refuses them, and publishes which. For an order that has a hold the answer is published
/// again. One whose items are impossible is rejected alone, and one that needs a locked product is tried again alone.
///
/// # Errors
/// If another process inserts the hold of one of the orders at this moment.
pub async fn hold_stock(
    tx: &mut PgTransaction<'_>,
    events: &[Received<OrderCreated>],
) -> Result<Outcomes, HandlerError> {
    let orders: Vec<Result<Order, HandlerError>> = events.iter().map(order).collect();
    let ids: Vec<i64> = orders.iter().flatten().map(|order| order.id.get()).collect();
    let mut holds = store::list_holds(tx, &ids).await?;
    let mut stock = lock_stock(tx, &orders, &holds).await?;
    let decisions = decide(orders, &mut holds, &mut stock);
    write(tx, &decisions, &holds).await?;
    publish_answers(tx, decisions.answers, &holds).await?;
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
    let (levels, locked) = lock_stock_levels(tx, &products).await?;
    Ok(Stock { levels, locked })
}

fn order(Received { event, trace, .. }: &Received<OrderCreated>) -> Result<Order, HandlerError> {
    let lines = allocation::lines(&event.items).map_err(|error| HandlerError::reject(error.to_string()))?;
    Ok(Order { id: event.order_id, subject: event.subject(), lines, trace: trace.clone() })
}

/// Allocates the stock, in the order in which the orders came.
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
    Stock { levels, locked }: &mut Stock,
    decisions: &mut Decisions,
) -> Result<(), HandlerError> {
    let found = holds.get(&id);
    require_same_order(found, subject)?;
    if found.is_none() && lines.iter().any(|line| locked.contains(&line.product_id)) {
        return Err(HandlerError::retry("another transaction keeps a product of the order locked"));
    }
    let refusal = if found.is_none() { allocation::allocate(levels, &lines).err() } else { None };
    let transition = Hold::on(found, Input::Created { in_stock: refusal.is_none() })?;
    if transition.effects.contains(&Effect::PublishAnswer) {
        decisions.answers.push((id, trace));
    }
    if let Some(reason) = transition.stock() {
        decisions.movements.extend(lines.iter().map(|line| Movement::of_order(id, line, reason)));
    }
    if found.is_none() {
        let status = transition.to;
        let (user_id, total_amount) = subject.map(|of| (of.user_id, of.total_amount)).unwrap_or_default();
        holds.insert(id, Hold { status, lines, refusal, cancel_cause: None, user_id, total_amount });
        decisions.new.push(id);
    }
    Ok(())
}

/// Writes the new holds, and takes their units out of the free stock.
async fn write(
    tx: &mut PgTransaction<'_>,
    decisions: &Decisions,
    holds: &BTreeMap<OrderId, Hold>,
) -> Result<(), HandlerError> {
    let new = &decisions.new;
    if new.is_empty() {
        return Ok(());
    }
    let rows: Vec<NewHold<'_>> = new.iter().filter_map(|id| Some(row(*id, holds.get(id)?))).collect();
    if !store::insert_holds(tx, &rows).await? {
        return Err(HandlerError::retry("another process inserts the hold of the same order at this moment"));
    }
    Ok(move_stock(tx, Reason::Hold, &decisions.movements).await?)
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

async fn publish_answers(
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
    outbox::append_all(tx, reserved).await?;
    outbox::append_all(tx, insufficient).await?;
    Ok(())
}
