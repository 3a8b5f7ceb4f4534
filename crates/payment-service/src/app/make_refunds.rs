//! Gives money back: reads the status first, then does what fits it. A try that is repeated does nothing twice.

use std::time::Duration;

use futures::{StreamExt, stream};
use midtrans::{Error, Transaction};
use time::OffsetDateTime;

use super::{
    CONCURRENCY, JobError, LEASE, in_time,
    settle::{Finding, settle},
};
use crate::{
    AppState,
    domain::{Plan, Refund, RefundMethod, RefundState, again_after, plan},
    store,
};

/// How soon an answer that was overtaken is looked at again.
const RETRY_SOON: Duration = Duration::from_secs(1);

/// Makes what is due and returns how many refunds were.
///
/// # Errors
/// If the database does not answer.
pub async fn make_refunds(state: &AppState) -> sqlx::Result<usize> {
    let refunds = store::claim_refunds(&mut *state.db.acquire().await?, CONCURRENCY, LEASE).await?;
    stream::iter(&refunds).for_each_concurrent(None, |refund| make(state, refund)).await;
    Ok(refunds.len())
}

async fn make(state: &AppState, refund: &Refund) {
    let next = match in_time(advance(state, refund)).await {
        Ok(next) => next,
        Err(error) => {
            let error = chassis::error_chain(&error);
            tracing::warn!(order.id = %refund.order_id, refund = refund.id, error, "refund has to wait");
            Next::Again(again_after(refund.tries))
        }
    };
    if let Err(error) = note(state, refund, next).await {
        tracing::warn!(error = chassis::error_chain(&error), "a refund could not be noted: it is repeated");
    }
}

/// What to do with the row.
enum Next {
    /// It was closed on the way.
    Done,
    Again(Duration),
    Manual,
    Refused,
}

async fn note(state: &AppState, refund: &Refund, next: Next) -> sqlx::Result<()> {
    let mut db = state.db.acquire().await?;
    match next {
        Next::Done => Ok(()),
        Next::Again(after) => store::update_refund_again(&mut db, refund, after).await,
        Next::Manual => {
            tracing::error!(order.id = %refund.order_id, amount = refund.amount, "refund has to be made by hand");
            store::update_refund_state(&mut db, refund.id, RefundState::Manual).await
        }
        Next::Refused => store::update_refund_state(&mut db, refund.id, RefundState::Refused).await,
    }
}

async fn advance(state: &AppState, refund: &Refund) -> Result<Next, JobError> {
    let Some(transaction) = observe(state, refund).await? else {
        return Ok(Next::Again(again_after(refund.tries)));
    };
    if closed(state, refund).await? {
        return Ok(Next::Done);
    }
    match plan(refund, &transaction, OffsetDateTime::now_utc()) {
        Plan::Wait(after) => Ok(Next::Again(after)),
        Plan::Manual => Ok(Next::Manual),
        Plan::Refuse => Ok(Next::Refused),
        Plan::Cancel => cancel(state, refund).await,
        Plan::Refund => send(state, refund).await,
    }
}

/// Reads the status and applies it, which closes the refund if it turns out to be made.
async fn observe(state: &AppState, refund: &Refund) -> Result<Option<Transaction>, JobError> {
    let observation = state.midtrans.observe_transaction(&refund.transaction_id).await?;
    if let Some(observation) = &observation {
        settle(state, &refund.midtrans_order_id, Finding::Observed(observation)).await?;
    }
    Ok(observation.map(|observation| observation.transaction))
}

async fn closed(state: &AppState, refund: &Refund) -> sqlx::Result<bool> {
    let state = store::find_refund_state(&mut *state.db.acquire().await?, refund.id).await?;
    Ok(!matches!(state, RefundState::Requested | RefundState::Sent))
}

async fn mark_sent(state: &AppState, refund: &Refund, method: RefundMethod) -> sqlx::Result<bool> {
    store::update_refund_sent(&mut *state.db.acquire().await?, refund.id, method).await
}

async fn cancel(state: &AppState, refund: &Refund) -> Result<Next, JobError> {
    if !mark_sent(state, refund, RefundMethod::Cancel).await? {
        return Ok(Next::Done);
    }
    match state.midtrans.cancel(&refund.transaction_id).await {
        Ok(observation) => {
            settle(state, &refund.midtrans_order_id, Finding::Observed(&observation)).await?;
            after_the_call(state, refund).await
        }
        // It has settled meanwhile.
        Err(Error::CannotUpdate(_)) => Ok(Next::Again(RETRY_SOON)),
        Err(error) => Err(error.into()),
    }
}

async fn send(state: &AppState, refund: &Refund) -> Result<Next, JobError> {
    if !mark_sent(state, refund, RefundMethod::Refund).await? {
        return Ok(Next::Done);
    }
    let reason = refund.reason.clone().unwrap_or_else(|| default_reason(refund).to_owned());
    let order = midtrans::Refund { key: refund.refund_key.clone(), amount: refund.amount, reason };
    match state.midtrans.refund(&refund.transaction_id, &order).await {
        // A key that is known was accepted before: the list in the status says so.
        Ok(_) | Err(Error::Conflict(_)) => {
            observe(state, refund).await?;
            after_the_call(state, refund).await
        }
        Err(Error::CannotUpdate(_)) => refused_or_overtaken(state, refund).await,
        Err(Error::RefundRejected(why)) => Ok(refused_for_good(refund, &why)),
        Err(error @ Error::Rejected { .. }) => Ok(refused_for_good(refund, &error.to_string())),
        Err(error) => Err(error.into()),
    }
}

fn refused_for_good(refund: &Refund, why: &str) -> Next {
    tracing::warn!(order.id = %refund.order_id, why, "Midtrans refuses a refund");
    Next::Manual
}

/// "Not in this state": if nothing has happened to the payment, then it is its kind that cannot be refunded.
async fn refused_or_overtaken(state: &AppState, refund: &Refund) -> Result<Next, JobError> {
    let transaction = observe(state, refund).await?;
    let still =
        transaction.is_some_and(|found| plan(refund, &found, OffsetDateTime::now_utc()) == Plan::Refund);
    if closed(state, refund).await? {
        return Ok(Next::Done);
    }
    Ok(if still { Next::Manual } else { Next::Again(RETRY_SOON) })
}

async fn after_the_call(state: &AppState, refund: &Refund) -> Result<Next, JobError> {
    let done = closed(state, refund).await?;
    Ok(if done { Next::Done } else { Next::Again(again_after(refund.tries)) })
}

/// The reason that Midtrans' dashboard shows where nobody gave one.
fn default_reason(refund: &Refund) -> &'static str {
    use contracts::events::RefundCause;
    match refund.cause {
        RefundCause::DeliveryFailed => "the goods could not be delivered",
        RefundCause::Late => "paid after the order had ended",
        RefundCause::Admin => "decided by the shop",
        RefundCause::Cancelled => "the order was cancelled",
    }
}
