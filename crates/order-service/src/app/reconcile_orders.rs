//! Gets orders going again that nothing has happened to for too long. Each state has a kind of job of its own, so that
//! what waits for one service holds up nothing that waits for another.

use std::time::Duration;

use chassis::{BoxError, context};
use contracts::{
    OrderId,
    events::{CancelCause, Event, OrderCreated, OrderPaid, PaymentFailure, Subject, groups},
};
use jobs::{Backoff, Job, Outcome, Queue};
use messaging::outbox;

use super::{
    Advance, advance_order,
    deadlines::{ReconcilePaid, ReconcileReceived, ReconcileUnpaid, TimeOut},
    finish_cancellation::end_order,
};
use crate::{
    AppState,
    clients::{KnownDelivery, PaymentEnd},
    domain::{Input, Order, Status},
    store::{self, reconciliation::StuckOrder},
};

/// A cancellation decides about the order: until then it is left alone for this long.
const WHILE_CANCELLING: Duration = Duration::from_mins(1);
const BACKOFF: Backoff = Backoff::new(Duration::from_mins(1), Duration::from_mins(10));

/// The goods of these RECEIVED orders are held, and only their pages are missing: publishing the orders again would not
/// help.
pub async fn await_pages(state: &AppState, ids: &[OrderId]) -> sqlx::Result<()> {
    Queue::cancel(&mut *state.db.acquire().await?, ids.iter().map(ReconcileReceived::of)).await
}

/// payment-service does not know orders whose goods are held. If an order only waits for its page, payment-service may
/// have lost it, as by a restore.
pub async fn check_pages(state: &AppState, ids: &[OrderId]) -> sqlx::Result<()> {
    let checks = ids.iter().map(|id| ReconcileReceived::of(id).now());
    Queue::enqueue_if_absent(&mut *state.db.acquire().await?, checks).await
}

async fn find(state: &AppState, id: OrderId, status: Status) -> sqlx::Result<Option<StuckOrder>> {
    store::reconciliation::find_stuck_order(&mut *state.db.acquire().await?, id, status).await
}

impl Job for ReconcileReceived {
    const KIND: &'static str = "reconcile-received";
    const BACKOFF: Backoff = BACKOFF;
    type State = AppState;
    type Key = OrderId;

    async fn run(state: &AppState, id: OrderId) -> Result<Outcome, BoxError> {
        let Some(order) = find(state, id, Status::Received).await? else { return Ok(Outcome::Done) };
        if !is_unread::<OrderCreated>(state, &order, OrderCreated::STREAM.groups).await? {
            publish_again(state, id, Status::Received, Order::created_event).await?;
        }
        Ok(Outcome::Later)
    }
}

impl Job for TimeOut {
    const KIND: &'static str = "time-out";
    const BACKOFF: Backoff = BACKOFF;
    type State = AppState;
    type Key = OrderId;

    async fn run(state: &AppState, id: OrderId) -> Result<Outcome, BoxError> {
        advance(state, id, Input::TimedOut).await
    }
}

impl Job for ReconcileUnpaid {
    const KIND: &'static str = "reconcile-unpaid";
    const BACKOFF: Backoff = BACKOFF;
    type State = AppState;
    type Key = OrderId;

    async fn run(state: &AppState, id: OrderId) -> Result<Outcome, BoxError> {
        let Some(order) = find(state, id, Status::AwaitingPayment).await? else { return Ok(Outcome::Done) };
        if order.is_being_cancelled {
            return Ok(Outcome::Again(WHILE_CANCELLING));
        }
        match state.clients.cancel_payment(id, order.user_id).await? {
            PaymentEnd::Cancelled => advance(state, id, Input::PaymentFailed(PaymentFailure::Expired)).await,
            PaymentEnd::Paid => {
                tracing::info!(order.id = %id, "an expired order was paid: PaymentSuccess has not arrived yet");
                Ok(Outcome::Later)
            }
            PaymentEnd::Unknown => Err("payment-service does not know yet".into()),
        }
    }
}

impl Job for ReconcilePaid {
    const KIND: &'static str = "reconcile-paid";
    const BACKOFF: Backoff = BACKOFF;
    type State = AppState;
    type Key = OrderId;

    async fn run(state: &AppState, id: OrderId) -> Result<Outcome, BoxError> {
        let Some(order) = find(state, id, Status::Paid).await? else { return Ok(Outcome::Done) };
        if order.is_being_cancelled {
            return Ok(Outcome::Again(WHILE_CANCELLING));
        }
        match state.clients.find_delivery(id, order.user_id).await? {
            KnownDelivery::Missing => {
                if !is_unread::<OrderPaid>(state, &order, &[groups::DELIVERY]).await? {
                    publish_again(state, id, Status::Paid, Order::paid_event).await?;
                }
                Ok(Outcome::Later)
            }
            KnownDelivery::Cancelled => {
                end_order(state, id, Status::Paid, CancelCause::Admin, None).await?;
                Ok(Outcome::Done)
            }
            KnownDelivery::Started(delivery) => {
                store::reconciliation::record_delivery(&mut *state.db.acquire().await?, id, delivery).await?;
                Ok(Outcome::Done)
            }
        }
    }
}

async fn advance(state: &AppState, id: OrderId, input: Input) -> Result<Outcome, BoxError> {
    let mut tx = state.db.begin().await?;
    let subject = Subject { order_id: id, user_id: None, total_amount: None };
    advance_order(&mut tx, Advance { subject, input, trace: context::current() }).await?;
    state.outbox.commit(tx).await?;
    Ok(Outcome::Done)
}

/// Whether some group has not read the event that asks for what the order waits for.
async fn is_unread<E: Event>(
    state: &AppState,
    order: &StuckOrder,
    groups: &[&str],
) -> Result<bool, BoxError> {
    let Some(row) = order.awaited_row else { return Ok(false) };
    Ok(!state.group_progress.unread(&state.db, E::STREAM, groups, &[row]).await?.is_empty())
}

/// Publishes what the order published before as a new event: who handled it answers again, who missed it has it now.
async fn publish_again<E: Event>(
    state: &AppState,
    id: OrderId,
    status: Status,
    event: fn(&Order) -> E,
) -> Result<(), BoxError> {
    let mut tx = state.db.begin().await?;
    let order = store::orders::lock_order(&mut tx, id).await?;
    if let Some(order) = order.filter(|order| order.status == status) {
        tracing::info!(order.id = %id, event.r#type = E::TYPE, "an event without an answer was published again");
        for row in outbox::append_all(&mut tx, [(context::current(), event(&order))]).await? {
            store::reconciliation::set_awaited_row(&mut tx, id, row).await?;
        }
        state.outbox.commit(tx).await?;
    }
    Ok(())
}
