//! Gets orders going again that nothing has happened to for too long. All times are the database's. Each status is a kind
//! of its own: what waits for one service holds up nothing that waits for another.

use std::{collections::BTreeSet, future::Future, time::Duration};

use chassis::{BoxError, jobs};
use contracts::events::{CancelCause, Event, OrderCreated, OrderPaid, PaymentFailure, Subject, groups};
use futures::{StreamExt, stream};
use messaging::outbox;

use super::{advance_order::advance_order, finish_cancellation::end_order};
use crate::{
    AppState,
    clients::{KnownDelivery, PaymentEnd},
    domain::{Input, Order, Status},
    store::{self, stuck::Stuck},
};

/// Orders of one kind that are reconciled at the same time.
const SLOTS: usize = 8;
/// RECEIVED orders that are taken up together: Redis is asked about all of them at once.
const BATCH: i64 = 32;
/// The pause after the first look; it doubles from look to look.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// Reconciles RECEIVED orders: `OrderCreated` is published again if it was read and nobody has answered, and an order
/// fails that nobody answered for a quarter of an hour. Returns how many there were.
pub async fn reconcile_received(state: &AppState) -> sqlx::Result<usize> {
    let mut db = state.db.acquire().await?;
    let due = store::stuck::claim_stuck_orders(&mut db, Status::Received, BATCH).await?;
    drop(db);
    let (found, unread) = (due.len(), unread_orders(state, &due).await);
    stream::iter(due)
        .for_each_concurrent(SLOTS, async |stuck| {
            let unread = stuck.awaited_row.is_some_and(|row| unread.contains(&row));
            attempt(state, stuck, ask_for_stock(state, stuck, unread)).await;
        })
        .await;
    Ok(found)
}

/// Reconciles orders that can be paid no longer. Returns how many there were.
pub async fn reconcile_unpaid(state: &AppState) -> sqlx::Result<usize> {
    reconcile(state, Status::AwaitingPayment, |stuck| close_payment(state, stuck)).await
}

/// Reconciles paid orders without a known delivery. Returns how many there were.
pub async fn reconcile_paid(state: &AppState) -> sqlx::Result<usize> {
    reconcile(state, Status::Paid, |stuck| find_delivery(state, stuck)).await
}

async fn reconcile<R>(
    state: &AppState,
    status: Status,
    work: impl Fn(Stuck) -> R + Send + Sync,
) -> sqlx::Result<usize>
where
    R: Future<Output = Result<(), BoxError>> + Send,
{
    let claim = async |slots| {
        let mut db = state.db.acquire().await?;
        store::stuck::claim_stuck_orders(&mut db, status, slots).await
    };
    let run = |stuck| attempt(state, stuck, work(stuck));
    jobs::drain(SLOTS, &state.lifecycle.shutdown(), claim, run).await
}

/// Does what an order needs, and schedules the next look unless something has happened to it.
async fn attempt(state: &AppState, stuck: Stuck, work: impl Future<Output = Result<(), BoxError>> + Send) {
    let outcome = jobs::within_deadline(work).await.unwrap_or_else(|late| Err(late.into()));
    let scheduled = schedule(state, stuck).await.map_err(BoxError::from);
    if let Err(error) = outcome.and(scheduled) {
        let error = chassis::error_chain(&*error);
        tracing::warn!(order.id = %stuck.id, order.status = %stuck.status, stuck.checks, error, "not reconciled yet");
    }
}

async fn schedule(state: &AppState, stuck: Stuck) -> sqlx::Result<()> {
    let pause = jobs::backoff(stuck.checks, FIRST_PAUSE, LONGEST_PAUSE);
    store::stuck::schedule_check(&mut *state.db.acquire().await?, stuck, pause).await
}

/// Whose `OrderCreated` was not read yet; all of them if that is not known, since then nothing can be read either.
async fn unread_orders(state: &AppState, due: &[Stuck]) -> BTreeSet<i64> {
    let rows: Vec<i64> =
        due.iter().filter(|stuck| !stuck.overdue).filter_map(|stuck| stuck.awaited_row).collect();
    let stream = OrderCreated::STREAM;
    state.group_progress.unread(&state.db, stream, stream.groups, &rows).await.unwrap_or_else(|error| {
        let error = chassis::error_chain(&*error);
        tracing::warn!(error, "it is not known which events were read");
        rows.into_iter().collect()
    })
}

async fn ask_for_stock(state: &AppState, stuck: Stuck, unread: bool) -> Result<(), BoxError> {
    if stuck.overdue {
        advance(state, stuck, Input::TimedOut).await
    } else if unread {
        Ok(())
    } else {
        publish_again(state, stuck, Order::created_event).await
    }
}

async fn advance(state: &AppState, stuck: Stuck, input: Input) -> Result<(), BoxError> {
    let mut tx = state.db.begin().await?;
    let subject = Subject { order_id: stuck.id, user_id: None, total_amount: None };
    advance_order(&mut tx, subject, input).await?;
    Ok(state.outbox.commit(tx).await?)
}

/// Publishes what the order published before as a new event: who handled it answers again, who missed it has it now.
async fn publish_again<E: Event>(
    state: &AppState,
    stuck: Stuck,
    event: fn(&Order) -> E,
) -> Result<(), BoxError> {
    let mut tx = state.db.begin().await?;
    let order = store::orders::lock_order(&mut tx, stuck.id).await?;
    if let Some(order) = order.filter(|order| order.status == stuck.status) {
        tracing::info!(order.id = %order.id, event.r#type = E::TYPE, "nobody answered: publishing it again");
        let row = outbox::append_row(&mut tx, event(&order)).await?;
        store::stuck::update_awaited_row(&mut tx, order.id, row).await?;
        state.outbox.commit(tx).await?;
    }
    Ok(())
}

/// The page has expired: whether it was paid at the last moment is payment-service's to say.
async fn close_payment(state: &AppState, stuck: Stuck) -> Result<(), BoxError> {
    match state.peers.cancel_payment(stuck.id, stuck.user_id).await? {
        PaymentEnd::Cancelled => advance(state, stuck, Input::PaymentFailed(PaymentFailure::Expired)).await,
        PaymentEnd::Paid => {
            tracing::info!(order.id = %stuck.id, "it is paid: PaymentSuccess is on its way");
            Ok(())
        }
        PaymentEnd::Unknown => Err("payment-service does not know yet".into()),
    }
}

/// A paid order needs a delivery. One that was stopped was stopped for an administrator's cancel.
async fn find_delivery(state: &AppState, stuck: Stuck) -> Result<(), BoxError> {
    match state.peers.find_delivery(stuck.id, stuck.user_id).await? {
        KnownDelivery::Missing if is_unread_by_delivery(state, stuck).await? => Ok(()),
        KnownDelivery::Missing => publish_again(state, stuck, Order::paid_event).await,
        KnownDelivery::Cancelled => {
            Ok(end_order(state, stuck.id, Status::Paid, CancelCause::Admin, None).await.map(drop)?)
        }
        KnownDelivery::Started(delivery) => {
            let mut db = state.db.acquire().await?;
            Ok(store::stuck::update_delivery(&mut db, stuck, delivery).await?)
        }
    }
}

async fn is_unread_by_delivery(state: &AppState, stuck: Stuck) -> Result<bool, BoxError> {
    let Some(row) = stuck.awaited_row else { return Ok(false) };
    Ok(!state
        .group_progress
        .unread(&state.db, OrderPaid::STREAM, &[groups::DELIVERY], &[row])
        .await?
        .is_empty())
}
