//! Gets an order going again that nothing has happened to for too long. All times are the database's.

use chassis::BoxError;
use contracts::{
    OrderId,
    events::{CancelCause, Event, PaymentFailure},
};
use futures::{StreamExt, stream};
use messaging::outbox;

use super::{advance_order::advance_order, cancel_order::end_order};
use crate::{
    App,
    clients::{KnownDelivery, PaymentEnd},
    domain::{Input, Order, Status},
    store::{self, sweep::Stuck},
};

/// Orders that are taken up at once: few enough to be done with before a shutdown loses its patience.
const BATCH: i64 = 16;
/// Orders that are looked after at the same time.
const AT_ONCE: usize = 8;

/// Looks after the orders that are due, one batch of them. Returns how many there were.
pub async fn rescue_orders(app: &App) -> sqlx::Result<usize> {
    let mut db = app.db.acquire().await?;
    let stuck = store::sweep::claim_stuck_orders(&mut db, BATCH).await?;
    drop(db);
    let found = stuck.len();
    stream::iter(stuck)
        .for_each_concurrent(AT_ONCE, async |stuck| {
            if let Err(error) = rescue_order(app, stuck).await {
                let error = chassis::problem::chain(&*error);
                tracing::warn!(order.id = %stuck.id, order.status = %stuck.status, error, "not rescued yet");
            }
        })
        .await;
    Ok(found)
}

async fn rescue_order(app: &App, stuck: Stuck) -> Result<(), BoxError> {
    match stuck.status {
        Status::Received if stuck.overdue => advance(app, stuck.id, Input::TimedOut).await,
        Status::Received => tell_again(app, stuck, Order::created_event).await,
        Status::AwaitingPayment => close_payment(app, stuck).await,
        Status::Paid => find_delivery(app, stuck).await,
        Status::Shipped
        | Status::Delivered
        | Status::DeliveryFailed
        | Status::Failed
        | Status::Cancelled
        | Status::Refunded => Ok(()),
    }
}

async fn advance(app: &App, id: OrderId, input: Input) -> Result<(), BoxError> {
    let mut tx = app.db.begin().await?;
    advance_order(&mut tx, id, input).await?;
    Ok(app.outbox.commit(tx).await?)
}

/// Publishes what the order told before as a new event: who handled it answers again, who missed it hears it now.
async fn tell_again<E: Event>(app: &App, stuck: Stuck, event: fn(&Order) -> E) -> Result<(), BoxError> {
    let mut tx = app.db.begin().await?;
    let order = store::orders::lock_order(&mut tx, stuck.id).await?;
    if let Some(order) = order.filter(|order| order.status == stuck.status) {
        tracing::info!(order.id = %order.id, event.r#type = E::TYPE, "nobody answered: telling it again");
        outbox::append(&mut tx, event(&order)).await?;
        app.outbox.commit(tx).await?;
    }
    Ok(())
}

/// The page has expired: whether it was paid at the last moment is payment-service's to say.
async fn close_payment(app: &App, stuck: Stuck) -> Result<(), BoxError> {
    match app.peers.cancel_payment(stuck.id).await? {
        PaymentEnd::Cancelled => advance(app, stuck.id, Input::PaymentFailed(PaymentFailure::Expired)).await,
        PaymentEnd::Paid => {
            tracing::info!(order.id = %stuck.id, "it is paid: PaymentSuccess is on its way");
            Ok(())
        }
        PaymentEnd::Unknown => Err("payment-service does not know yet".into()),
    }
}

/// A paid order needs a delivery. One that was stopped was stopped by an administrator's cancel that did not get any
/// further.
async fn find_delivery(app: &App, stuck: Stuck) -> Result<(), BoxError> {
    match app.peers.find_delivery(stuck.id).await? {
        KnownDelivery::Missing => tell_again(app, stuck, Order::paid_event).await,
        KnownDelivery::Cancelled => {
            Ok(end_order(app, stuck.id, Status::Paid, CancelCause::Admin, None).await.map(drop)?)
        }
        KnownDelivery::Started(delivery) => {
            let mut db = app.db.acquire().await?;
            Ok(store::sweep::update_delivery(&mut db, stuck, delivery).await?)
        }
    }
}
