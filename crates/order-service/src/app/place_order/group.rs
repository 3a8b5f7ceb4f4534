//! Places the orders of a group in one transaction. Each is decided in memory, in the order in which they came: an order
//! counts for the limits of the buyer's next one, and a key that comes twice is replayed.

use std::collections::BTreeMap;

use chassis::group_commit::Commit;
use contracts::{OrderId, UserId};
use jobs::Queue;
use messaging::outbox;
use sqlx::{PgConnection, PgTransaction, Result};

use super::{PlaceOrderError, PlacedOrder, ROUTE, replay};
use crate::{
    AppState,
    app::deadlines::jobs_of_new,
    domain::{HoldLimits, Item, Line, Order, OverLimit, Placement, Receipt, Status},
    store::{
        self,
        buyers::{Numbers, OpenOrders},
        idempotency::{NewReply, Scoped},
        orders::NewOrderRow,
    },
};

type Reply = Result<PlacedOrder, PlaceOrderError>;

/// What was decided about a placement.
enum Decision {
    /// It is placed: the receipt of this place of the new ones.
    Placed(usize),
    /// The key came before in the same group, with the receipt of this place.
    Replayed(usize),
    /// It was answered before, or is refused.
    Answered(Box<Reply>),
}

impl Commit for Placement {
    type State = AppState;
    type Reply = Reply;
    type Error = sqlx::Error;

    async fn commit(state: &AppState, group: &[Self]) -> Result<Vec<Reply>> {
        loop {
            // A key that another replica answers at this moment is known the next time.
            if let Some(replies) = place(state, group).await? {
                return Ok(replies);
            }
        }
    }
}

/// Places what has no known reply. `None`: another replica has answered one of the keys at this moment, and nothing was
/// placed.
async fn place(state: &AppState, group: &[Placement]) -> Result<Option<Vec<Reply>>> {
    let mut tx = state.db.begin().await?;
    let buyers: Vec<i64> = group.iter().map(|placement| placement.buyer.get()).collect();
    let lines = group.iter().map(|placement| placement.basket.lines.len()).sum::<usize>();
    let numbers =
        store::buyers::lock_buyers(&mut tx, &buyers, i64::try_from(lines).unwrap_or_default()).await?;
    let known = known_replies(&mut tx, group).await?;
    let open = open_orders(&mut tx, state.limits, &buyers).await?;
    let (decisions, receipts) = decide(state.limits, group, known, open, numbers);
    if !write(&mut tx, group, &receipts).await? {
        return Ok(None);
    }
    state.outbox.commit(tx).await?;
    let receipt = |place: usize| receipts[place].1.clone();
    let replies = decisions.into_iter().map(|decision| match decision {
        Decision::Placed(place) => Ok(PlacedOrder { receipt: receipt(place), replayed: false }),
        Decision::Replayed(place) => Ok(PlacedOrder { receipt: receipt(place), replayed: true }),
        Decision::Answered(reply) => *reply,
    });
    Ok(Some(replies.collect()))
}

/// The replies to keys that were answered since their carts were read, by the places of their placements.
async fn known_replies(db: &mut PgConnection, group: &[Placement]) -> Result<BTreeMap<usize, Reply>> {
    let (mut places, mut keys) = (Vec::new(), Vec::new());
    for (place, Placement { buyer, key, request, .. }) in group.iter().enumerate() {
        if let Some(key) = key.as_deref() {
            places.push(place);
            keys.push((Scoped { user: *buyer, route: ROUTE, key }, request));
        }
    }
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let stored = store::idempotency::list_replies(db, &keys).await?;
    Ok(stored.into_iter().map(|(key, reply)| (places[key], replay(reply))).collect())
}

async fn open_orders(
    db: &mut PgConnection,
    limits: HoldLimits,
    buyers: &[i64],
) -> Result<BTreeMap<UserId, OpenOrders>> {
    if limits.are_off() {
        return Ok(BTreeMap::new());
    }
    store::buyers::list_open_orders(db, buyers).await
}

/// Decides about each placement; the receipts of those that are placed, each with the place of its placement.
fn decide(
    limits: HoldLimits,
    group: &[Placement],
    mut known: BTreeMap<usize, Reply>,
    mut open: BTreeMap<UserId, OpenOrders>,
    numbers: Numbers,
) -> (Vec<Decision>, Vec<(usize, Receipt)>) {
    let (mut decisions, mut receipts, mut keys) = (Vec::new(), Vec::new(), BTreeMap::new());
    let (mut line_numbers, now) = (numbers.lines.into_iter(), numbers.now);
    for ((place, placement), id) in group.iter().enumerate().zip(numbers.orders) {
        if let Some(reply) = known.remove(&place) {
            decisions.push(Decision::Answered(Box::new(reply)));
            continue;
        }
        let key = placement.key.as_ref().map(|key| (placement.buyer, key));
        if let Some(first) = key.and_then(|key| keys.get(&key)) {
            decisions.push(repeated(group, &receipts, *first, placement));
            continue;
        }
        if let Err(over) = admit(limits, open.entry(placement.buyer).or_default(), placement) {
            decisions.push(Decision::Answered(Box::new(Err(PlaceOrderError::OverLimit(over)))));
            continue;
        }
        keys.extend(key.map(|key| (key, receipts.len())));
        decisions.push(Decision::Placed(receipts.len()));
        receipts.push((place, Receipt::from(order(id, now, placement, &mut line_numbers))));
    }
    (decisions, receipts)
}

/// Decides about a key that came before in the same group.
fn repeated(
    group: &[Placement],
    receipts: &[(usize, Receipt)],
    first: usize,
    placement: &Placement,
) -> Decision {
    if group[receipts[first].0].request == placement.request {
        Decision::Replayed(first)
    } else {
        Decision::Answered(Box::new(Err(PlaceOrderError::KeyReused)))
    }
}

/// Refuses an order by which its buyer would keep too much from the others; otherwise it counts from now on.
fn admit(limits: HoldLimits, open: &mut OpenOrders, placement: &Placement) -> Result<(), OverLimit> {
    limits.check_orders(open.count)?;
    limits.check_units(open.units.clone(), &placement.basket.lines)?;
    open.count += 1;
    for line in &placement.basket.lines {
        *open.units.entry(line.product_id).or_default() += i64::from(line.quantity);
    }
    Ok(())
}

fn order(
    id: OrderId,
    now: time::OffsetDateTime,
    Placement { buyer, basket, address, .. }: &Placement,
    line_numbers: &mut impl Iterator<Item = i64>,
) -> Order {
    let lines = basket.lines.iter().zip(line_numbers);
    Order {
        id,
        user_id: *buyer,
        status: Status::Received,
        total_amount: basket.total,
        items: lines.map(|(line, number)| item(number, id, line)).collect(),
        shipping_address: address.clone(),
        payment_url: None,
        payment_expires: None,
        delivery_id: None,
        refunded_amount: None,
        failure_reason: None,
        created_at: now,
        updated_at: now,
        cart_read_at: basket.read_at,
    }
}

fn item(id: i64, order_id: OrderId, line: &Line) -> Item {
    let Line { product_id, name, price, quantity } = line.clone();
    Item { id, order_id, product_id, name, price, quantity }
}

/// Writes what is placed, with one statement for each table. False if a key was answered by another replica.
async fn write(
    tx: &mut PgTransaction<'_>,
    group: &[Placement],
    receipts: &[(usize, Receipt)],
) -> Result<bool> {
    if receipts.is_empty() {
        return Ok(true);
    }
    let created =
        receipts.iter().map(|(place, receipt)| (group[*place].trace.clone(), receipt.order.created_event()));
    let rows = outbox::append_all(tx, created).await?;
    let orders: Vec<NewOrderRow<'_>> = (receipts.iter().zip(rows))
        .map(|((_, receipt), awaited_row)| NewOrderRow { order: &receipt.order, awaited_row })
        .collect();
    store::orders::insert_orders(tx, &orders).await?;
    Queue::enqueue(tx, receipts.iter().flat_map(|(_, receipt)| jobs_of_new(receipt.order_id))).await?;
    let replies = receipts.iter().filter_map(|(place, receipt)| {
        let Placement { buyer, key, request, .. } = &group[*place];
        let key = Scoped { user: *buyer, route: ROUTE, key: key.as_deref()? };
        Some(NewReply { key, request, receipt })
    });
    store::idempotency::insert_replies(tx, &replies.collect::<Vec<_>>()).await
}
