//! Cancels an order for somebody. Before it is paid its payment has to be closed, after that its delivery has to be
//! stopped.

use chassis::{User, limit::TooOften};
use contracts::OrderId;
use tokio::task::JoinError;
use tonic::Status as GrpcStatus;

use super::finish_cancellation::{cancel_locked, finish_cancellation, schedule, timeline_cause};
use crate::{
    AppState,
    domain::{By, CancelPlan, Order, Refusal, Status},
    store::{
        self,
        cancellations::{Cancellation, NewCancellation},
    },
};

/// How often the plan is made anew when the order moves on meanwhile. It can only move on so many times.
const TRIES: usize = 4;

/// Why an order was not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelOrderError {
    /// There is none, or it is somebody else's.
    #[error("there is no such order")]
    Unknown,
    /// Its state does not allow it.
    #[error("an order that is {0} cannot be cancelled")]
    Refused(Status, Refusal),
    /// The buyer cancels too often.
    #[error(transparent)]
    TooOften(#[from] TooOften),
    /// payment-service does not know at the moment whether it was paid. The cancellation goes on.
    #[error("it is not known whether the order was paid")]
    PaymentUnknown(#[source] Option<GrpcStatus>),
    /// delivery-service does not answer. The cancellation goes on.
    #[error("delivery-service")]
    Delivery(#[source] GrpcStatus),
    /// The order kept moving, or is locked by somebody else.
    #[error("the order kept moving")]
    Busy,
    /// The database did not help.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A bug.
    #[error("cancelling failed")]
    Failed(#[from] JoinError),
}

/// What came of a first look at the order.
enum Begun {
    /// It is cancelled.
    Done(Box<Order>),
    /// It will be, once somebody else agrees.
    Recorded(Cancellation),
}

/// Cancels an order for somebody, and returns it as it is then. What was recorded is finished even if they go away.
pub async fn cancel_order(
    state: &AppState,
    user: &User,
    id: OrderId,
    reason: Option<String>,
) -> Result<Order, CancelOrderError> {
    if !user.is_admin() {
        state.rates.cancels.check(&user.id())?;
    }
    for _ in 0..TRIES {
        let cancellation = match begin(state, user, id, reason.clone()).await? {
            Begun::Done(order) => return Ok(*order),
            Begun::Recorded(cancellation) => cancellation,
        };
        let work = {
            let state = state.clone();
            async move { finish_cancellation(&state, cancellation).await }
        };
        if let Some(cancelled) = state.lifecycle.finish(work).await?? {
            return Ok(cancelled);
        }
    }
    Err(CancelOrderError::Busy)
}

/// Cancels the order if nobody else has to agree; otherwise records that it is to be cancelled.
async fn begin(
    state: &AppState,
    user: &User,
    id: OrderId,
    reason: Option<String>,
) -> Result<Begun, CancelOrderError> {
    let mut tx = state.db.begin().await?;
    let order = store::orders::lock_order(&mut tx, id).await?;
    let order = order.filter(|order| user.scope().is_none_or(|buyer| buyer == order.user_id));
    let order = order.ok_or(CancelOrderError::Unknown)?;
    let by = by(user, &order);
    let cause = by.cause(order.status);
    let begun = match order.status.plan_cancel(by) {
        CancelPlan::AtOnce => Begun::Done(cancel_locked(&mut tx, &order, cause, reason).await?.into()),
        CancelPlan::After(step) => {
            let (order_id, requested_by, reason) = (order.id, user.id(), reason.as_deref());
            let new = NewCancellation { order_id, step, requested_by, cause, reason };
            schedule(&mut tx, id, step).await?;
            Begun::Recorded(store::cancellations::insert_cancellation(&mut tx, new).await?)
        }
        CancelPlan::Done => {
            // What somebody has to say about it is kept, too.
            if reason.is_some() && reason != order.failure_reason {
                store::history::insert_note(&mut tx, id, timeline_cause(cause), reason.as_deref()).await?;
            }
            Begun::Done(order.into())
        }
        CancelPlan::Refused(refusal) => return Err(CancelOrderError::Refused(order.status, refusal)),
    };
    state.outbox.commit(tx).await?;
    Ok(begun)
}

fn by(user: &User, order: &Order) -> By {
    let owner = user.id() == order.user_id;
    if user.is_admin() { By::Admin { owner } } else { By::Buyer }
}
