//! Finishes a cancellation that another service has to agree to: it was recorded before that service was asked, so that
//! neither a slow answer nor the end of the request or of the process leaves one half of it undone.

use std::time::Duration;

use chassis::jobs;
use contracts::{OrderId, UserId, events::CancelCause};
use sqlx::PgTransaction;

use super::{advance_order::move_order, cancel_order::CancelOrderError};
use crate::{
    AppState,
    clients::{DeliveryEnd, PaymentEnd},
    domain::{CancelStep, Order, Refusal, State, Status},
    store::{self, cancellations::Cancellation},
};

/// Cancellations of one kind that are worked on at the same time.
const SLOTS: usize = 8;
/// The pause after the first try; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Takes up the cancellations of one kind that were not answered yet. Returns how many there were.
pub async fn finish_cancellations(state: &AppState, step: CancelStep) -> sqlx::Result<usize> {
    let claim = async |slots| {
        let mut db = state.db.acquire().await?;
        store::cancellations::claim_cancellations(&mut db, step, slots).await
    };
    let run = async |cancellation: Cancellation| {
        let (order, tries) = (cancellation.order_id, cancellation.tries);
        match finish_cancellation(state, cancellation).await {
            Ok(_) | Err(CancelOrderError::Refused(..)) => {}
            Err(error) => {
                let error = chassis::error_chain(&error);
                tracing::warn!(order.id = %order, tries, error, "not cancelled yet");
            }
        }
    };
    jobs::drain(SLOTS, &state.lifecycle.shutdown(), claim, run).await
}

/// Asks for what has to be done elsewhere, and cancels the order after that. Returns the order; nothing if it has moved
/// on meanwhile. The cancellation ends with the answer; without one it is taken up again.
pub(super) async fn finish_cancellation(
    state: &AppState,
    cancellation: Cancellation,
) -> Result<Option<Order>, CancelOrderError> {
    jobs::within_deadline(settle(state, cancellation)).await.unwrap_or(Err(CancelOrderError::Busy))
}

async fn settle(state: &AppState, cancellation: Cancellation) -> Result<Option<Order>, CancelOrderError> {
    let Cancellation { order_id, buyer, step, requested_by, cause, reason, tries } = cancellation;
    match ask(state, order_id, buyer, step).await {
        Ok(()) => {
            tracing::info!(order.id = %order_id, requested_by = %requested_by, ?step, "the cancellation was agreed to");
            Ok(end_order(state, order_id, step.status(), cause, reason).await?)
        }
        Err(refused @ CancelOrderError::Refused(..)) => {
            tracing::info!(order.id = %order_id, requested_by = %requested_by, ?step, "the cancellation was refused");
            let mut db = state.db.acquire().await?;
            store::cancellations::delete_cancellation(&mut db, order_id).await?;
            Err(refused)
        }
        Err(unknown) => {
            let pause = jobs::backoff(tries, FIRST_PAUSE, LONGEST_PAUSE);
            let mut db = state.db.acquire().await?;
            store::cancellations::schedule_cancellation(&mut db, order_id, pause).await?;
            Err(unknown)
        }
    }
}

async fn ask(
    state: &AppState,
    order: OrderId,
    buyer: UserId,
    step: CancelStep,
) -> Result<(), CancelOrderError> {
    match step {
        CancelStep::ClosePayment => match state.peers.cancel_payment(order, buyer).await {
            Ok(PaymentEnd::Cancelled) => Ok(()),
            Ok(PaymentEnd::Paid) => Err(CancelOrderError::Refused(Status::Paid, Refusal::AlreadyPaid)),
            Ok(PaymentEnd::Unknown) => Err(CancelOrderError::PaymentUnknown(None)),
            Err(status) => Err(CancelOrderError::PaymentUnknown(Some(status))),
        },
        CancelStep::StopDelivery => match state.peers.cancel_delivery(order, buyer).await {
            Ok(DeliveryEnd::Cancelled) => Ok(()),
            Ok(DeliveryEnd::Shipped) => {
                Err(CancelOrderError::Refused(Status::Shipped, Refusal::AlreadyShipped))
            }
            Err(status) => Err(CancelOrderError::Delivery(status)),
        },
    }
}

/// Cancels an order that still is where it was seen, and returns it; nothing if it has moved on.
pub(super) async fn end_order(
    state: &AppState,
    id: OrderId,
    seen: Status,
    cause: CancelCause,
    reason: Option<String>,
) -> sqlx::Result<Option<Order>> {
    let mut tx: PgTransaction<'_> = state.db.begin().await?;
    let order = match store::orders::lock_order(&mut tx, id).await? {
        Some(order) if order.status == seen => order,
        _ => return Ok(None),
    };
    let cancelled = cancel_locked(&mut tx, &order, cause, reason).await?;
    state.outbox.commit(tx).await?;
    Ok(Some(cancelled))
}

/// Cancels an order that is locked, and returns it as it is then.
pub(super) async fn cancel_locked(
    tx: &mut PgTransaction<'_>,
    order: &Order,
    cause: CancelCause,
    reason: Option<String>,
) -> sqlx::Result<Order> {
    let state = State::Cancelled { cause, reason: reason.clone() };
    move_order(tx, order, &state, timeline_cause(cause), reason.as_deref()).await?;
    store::orders::find_order(tx, order.id, None).await?.ok_or(sqlx::Error::RowNotFound)
}

/// What the timeline names as the cause.
pub(super) const fn timeline_cause(cause: CancelCause) -> &'static str {
    match cause {
        CancelCause::Admin => "CancelledByAdmin",
        CancelCause::Customer | CancelCause::Stock | CancelCause::Payment | CancelCause::Timeout => {
            "CancelledByCustomer"
        }
    }
}
