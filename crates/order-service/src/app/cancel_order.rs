//! Cancels an order on request. Before it is paid its payment has to be closed, after that its delivery has to be
//! stopped.

use chassis::User;
use contracts::OrderId;

use super::finish_cancellation::{
    CancelOrderError, cancel_locked, finish_cancellation, schedule, timeline_cause,
};
use crate::{
    AppState,
    domain::{CancelPlan, Order, Requester},
    store::{
        self,
        cancellations::{Cancellation, NewCancellation},
    },
};

/// How often the plan is made anew when the order moves on meanwhile. It can only move on so many times.
const TRIES: usize = 4;

/// How far a cancellation has come that needs no answer, or not yet.
enum Begun {
    /// It is cancelled, and committed as such.
    Done(Box<Order>),
    /// It will be, once another service agrees.
    Recorded(Cancellation),
}

/// Cancels an order on request, and returns it as it is then. What was recorded is finished even if the client goes away.
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

/// Cancels the order if no other service has to agree; otherwise records that it is to be cancelled.
async fn begin(
    state: &AppState,
    user: &User,
    id: OrderId,
    reason: Option<String>,
) -> Result<Begun, CancelOrderError> {
    let mut tx = state.db.begin().await?;
    let order = store::orders::lock_order(&mut tx, id).await?;
    let order = order.filter(|order| user.scope(&[]).is_none_or(|buyer| buyer == order.user_id));
    let order = order.ok_or(CancelOrderError::Unknown)?;
    let requester = requester(user, &order);
    let cause = requester.cause(order.status);
    let begun = match order.status.plan_cancel(requester) {
        CancelPlan::AtOnce => Begun::Done(cancel_locked(&mut tx, order, cause, reason).await?.into()),
        CancelPlan::After(step) => {
            let (order_id, requested_by, reason) = (order.id, user.id(), reason.as_deref());
            let new = NewCancellation { order_id, step, requested_by, cause, reason };
            schedule(&mut tx, id, step).await?;
            Begun::Recorded(store::cancellations::insert_cancellation(&mut tx, new).await?)
        }
        CancelPlan::Done => {
            // The reason of a later request is kept, too.
            if reason.is_some() && reason != order.failure_reason {
                store::history::annotate(&mut tx, id, timeline_cause(cause), reason.as_deref()).await?;
            }
            Begun::Done(order.into())
        }
        CancelPlan::Refused(refusal) => return Err(CancelOrderError::Refused(order.status, refusal)),
    };
    state.outbox.commit(tx).await?;
    Ok(begun)
}

fn requester(user: &User, order: &Order) -> Requester {
    let owner = user.id() == order.user_id;
    if user.is_admin() { Requester::Admin { owner } } else { Requester::Buyer }
}
