//! The events that this service consumes.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    OrderId,
    events::{OrderPaid, groups},
};
use messaging::{Consumer, Handle, HandlerError, Outcomes, Received};
use sqlx::PgTransaction;

use crate::{
    AppState,
    store::{self, DeliveryRow, NewDelivery},
};

pub fn consumer(state: &AppState) -> Consumer<AppState> {
    Consumer::new(groups::DELIVERY, state.clone(), state.db.clone(), state.outbox.clone()).on::<OrderPaid>()
}

impl Handle<OrderPaid> for AppState {
    type Prepared = ();

    /// Starts the deliveries of the orders: one for each order, and none for an order whose delivery was cancelled before.
    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Received<OrderPaid>],
        _: Vec<()>,
    ) -> Result<Outcomes, HandlerError> {
        // Of two events about one order the first counts.
        let mut new: BTreeMap<OrderId, NewDelivery<'_>> = BTreeMap::new();
        for Received { event, .. } in events {
            new.entry(event.order_id).or_insert_with(|| NewDelivery::from(event));
        }
        let started = store::insert_deliveries(tx, new.values()).await?;
        let known = find_known(tx, &new, &started).await?;
        Ok(events.iter().map(|received| judge(received, &new, &known)).collect())
    }
}

/// What is known of the orders whose deliveries were not started now.
async fn find_known(
    tx: &mut PgTransaction<'_>,
    new: &BTreeMap<OrderId, NewDelivery<'_>>,
    started: &BTreeSet<OrderId>,
) -> sqlx::Result<BTreeMap<OrderId, DeliveryRow>> {
    if started.len() == new.len() {
        return Ok(BTreeMap::new());
    }
    let others: Vec<i64> = new.keys().filter(|id| !started.contains(id)).map(|id| id.get()).collect();
    store::list_by_orders(tx, &others).await
}

/// A delivery that was started for another order of the same number is not this order's.
fn judge(
    Received { event, trace, .. }: &Received<OrderPaid>,
    new: &BTreeMap<OrderId, NewDelivery<'_>>,
    known: &BTreeMap<OrderId, DeliveryRow>,
) -> Result<(), HandlerError> {
    let OrderPaid { order_id, user_id, ordered_at, .. } = event;
    let same = match known.get(order_id) {
        Some(known) => {
            tracing::info!(order.id = %order_id, trace.correlation_id, "delivery was started, or cancelled, before");
            known.is_of(Some(*user_id)) && known.ordered_at.is_none_or(|at| at == *ordered_at)
        }
        None => new.get(order_id).is_none_or(|new| new.user_id == *user_id && new.ordered_at == *ordered_at),
    };
    if same {
        return Ok(());
    }
    Err(HandlerError::reject(format!("order {order_id} is known with another buyer or time")))
}
