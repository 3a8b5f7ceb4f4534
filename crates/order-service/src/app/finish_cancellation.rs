//! Finishes a cancellation that another service has to agree to: it is recorded before that service is called, so that
//! neither a slow answer nor the end of the request or of the process leaves one half of it undone.

use std::time::Duration;

use chassis::{BoxError, context, limit::TooOften};
use contracts::{OrderId, UserId, events::CancelCause};
use jobs::{Backoff, Job, Outcome, Queue};
use sqlx::{PgConnection, PgTransaction};
use tokio::task::JoinError;
use tonic::Status as GrpcStatus;

use super::changes::{ApplyError, Cause, Changes};
use crate::{
    AppState,
    clients::{DeliveryEnd, PaymentEnd},
    domain::{CancelStep, Order, Refusal, State, Status, Transition},
    store::{self, cancellations::Cancellation},
};

/// The pause after the first request without an answer.
const RETRY_SOON: Duration = Duration::from_secs(1);
const BACKOFF: Backoff = Backoff::new(RETRY_SOON, Duration::from_mins(1));

/// Why an order was not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelOrderError {
    /// There is none, or it is somebody else's.
    #[error("there is no such order")]
    Unknown,
    /// Its state does not allow it.
    #[error("an order that is {0} cannot be cancelled")]
    Refused(Status, Refusal),
    #[error(transparent)]
    TooOften(#[from] TooOften),
    /// payment-service does not know at the moment whether it was paid. The cancellation goes on.
    #[error("it is not known whether the order was paid")]
    PaymentUnknown(#[source] Option<GrpcStatus>),
    /// delivery-service does not answer. The cancellation goes on.
    #[error("delivery-service")]
    Delivery(#[source] GrpcStatus),
    /// The order kept moving, or the answer did not come in time.
    #[error("the order kept moving")]
    Busy,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The task that finishes the cancellation panicked: a bug.
    #[error("cancelling failed")]
    Failed(#[from] JoinError),
}

impl From<ApplyError> for CancelOrderError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::TooEarly(_) | ApplyError::Impossible(_) => Self::Busy,
        }
    }
}

/// Has payment-service close the payment of an order that is to be cancelled.
#[derive(Debug)]
pub struct ClosePayment;

impl Job for ClosePayment {
    const KIND: &'static str = "close-payment";
    const BACKOFF: Backoff = BACKOFF;
    type State = AppState;
    type Key = OrderId;

    async fn run(state: &AppState, id: OrderId) -> Result<Outcome, BoxError> {
        finish_recorded(state, id, CancelStep::ClosePayment).await
    }
}

/// Has delivery-service stop the delivery of an order that is to be cancelled.
#[derive(Debug)]
pub struct StopDelivery;

impl Job for StopDelivery {
    const KIND: &'static str = "stop-delivery";
    const BACKOFF: Backoff = BACKOFF;
    type State = AppState;
    type Key = OrderId;

    async fn run(state: &AppState, id: OrderId) -> Result<Outcome, BoxError> {
        finish_recorded(state, id, CancelStep::StopDelivery).await
    }
}

async fn finish_recorded(state: &AppState, id: OrderId, step: CancelStep) -> Result<Outcome, BoxError> {
    let recorded = store::cancellations::find_cancellation(&mut *state.db.acquire().await?, id, step).await?;
    // Without a row it was answered, or the order has moved on.
    let Some(cancellation) = recorded else { return Ok(Outcome::Done) };
    match settle(state, cancellation).await {
        Ok(_) | Err(CancelOrderError::Refused(..)) => Ok(Outcome::Done),
        Err(error) => Err(error.into()),
    }
}

/// Enqueues the job that finishes a cancellation if the request that records it does not. If the request does, the job
/// finds no row, and ends.
pub(super) async fn schedule(db: &mut PgConnection, id: OrderId, step: CancelStep) -> sqlx::Result<()> {
    enqueue(db, id, step, jobs::LEASE).await
}

async fn enqueue(db: &mut PgConnection, id: OrderId, step: CancelStep, delay: Duration) -> sqlx::Result<()> {
    let job = match step {
        CancelStep::ClosePayment => ClosePayment::of(&id),
        CancelStep::StopDelivery => StopDelivery::of(&id),
    };
    Queue::enqueue(db, [job.after(delay)]).await
}

/// Finishes a cancellation as part of the request for it. Returns the order; nothing if it has moved on meanwhile. The
/// cancellation ends with the answer; without one its job goes on.
pub(super) async fn finish_cancellation(
    state: &AppState,
    cancellation: Cancellation,
) -> Result<Option<Order>, CancelOrderError> {
    let (id, step) = (cancellation.order_id, cancellation.step);
    let settled = jobs::within_deadline(settle(state, cancellation)).await;
    let outcome = settled.unwrap_or(Err(CancelOrderError::Busy));
    if !matches!(outcome, Ok(_) | Err(CancelOrderError::Refused(..))) {
        enqueue(&mut *state.db.acquire().await?, id, step, RETRY_SOON).await?;
    }
    outcome
}

/// Requests what another service has to do, and cancels the order after that.
async fn settle(state: &AppState, cancellation: Cancellation) -> Result<Option<Order>, CancelOrderError> {
    let Cancellation { order_id, buyer, step, requested_by, cause, reason } = cancellation;
    match request(state, order_id, buyer, step).await {
        Ok(()) => {
            tracing::info!(order.id = %order_id, requested_by = %requested_by, ?step, "the cancellation was agreed to");
            Ok(end_order(state, order_id, step.status(), cause, reason).await?)
        }
        Err(refused @ CancelOrderError::Refused(..)) => {
            tracing::info!(order.id = %order_id, requested_by = %requested_by, ?step, "the cancellation was refused");
            let mut db = state.db.acquire().await?;
            store::cancellations::delete_cancellation(&mut db, order_id, step).await?;
            Err(refused)
        }
        Err(unknown) => Err(unknown),
    }
}

async fn request(
    state: &AppState,
    order: OrderId,
    buyer: UserId,
    step: CancelStep,
) -> Result<(), CancelOrderError> {
    match step {
        CancelStep::ClosePayment => match state.clients.cancel_payment(order, buyer).await {
            Ok(PaymentEnd::Cancelled) => Ok(()),
            Ok(PaymentEnd::Paid) => Err(CancelOrderError::Refused(Status::Paid, Refusal::AlreadyPaid)),
            Ok(PaymentEnd::Unknown) => Err(CancelOrderError::PaymentUnknown(None)),
            Err(status) => Err(CancelOrderError::PaymentUnknown(Some(status))),
        },
        CancelStep::StopDelivery => match state.clients.cancel_delivery(order, buyer).await {
            Ok(DeliveryEnd::Cancelled) => Ok(()),
            Ok(DeliveryEnd::Shipped) => {
                Err(CancelOrderError::Refused(Status::Shipped, Refusal::AlreadyShipped))
            }
            Err(status) => Err(CancelOrderError::Delivery(status)),
        },
    }
}

/// Cancels an order that still is in a state, and returns it; nothing if it has moved on.
pub(super) async fn end_order(
    state: &AppState,
    id: OrderId,
    from: Status,
    cause: CancelCause,
    reason: Option<String>,
) -> Result<Option<Order>, CancelOrderError> {
    let mut tx = state.db.begin().await?;
    let order = match store::orders::lock_order(&mut tx, id).await? {
        Some(order) if order.status == from => order,
        _ => return Ok(None),
    };
    let cancelled = cancel_locked(&mut tx, order, cause, reason).await?;
    state.outbox.commit(tx).await?;
    Ok(Some(cancelled))
}

/// Cancels an order that is locked, and returns it as it is then.
pub(super) async fn cancel_locked(
    tx: &mut PgTransaction<'_>,
    mut order: Order,
    cause: CancelCause,
    reason: Option<String>,
) -> Result<Order, CancelOrderError> {
    let state = State::Cancelled { cause, reason: reason.clone() };
    let cause = Cause { name: timeline_cause(cause), detail: reason, trace: &context::current() };
    let mut changes = Changes::default();
    changes.add(&mut order, Transition::to(state), cause)?;
    changes.write(tx).await?;
    Ok(store::orders::read_order(tx, order.id).await?)
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
