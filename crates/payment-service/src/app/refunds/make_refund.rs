//! Makes a refund: reads the status first, then does what fits it. A try that is repeated does nothing twice.

use std::time::Duration;

use chassis::BoxError;
use jobs::{Job, Outcome};
use midtrans::{Error, Transaction};
use time::OffsetDateTime;

use crate::{
    AppState,
    app::{JobError, MakeRefund, settle::settle},
    domain::{Finding, Plan, Refund, RefundMethod, RefundState, plan},
    store,
};

/// How soon a refund is tried again that something else overtook.
const RETRY_SOON: Duration = Duration::from_secs(1);

impl Job for MakeRefund {
    const KIND: &'static str = "refund";
    type State = AppState;
    type Key = i64;

    async fn run(state: &AppState, id: i64) -> Result<Outcome, BoxError> {
        let found = store::find_refund(&mut *state.db.acquire().await?, id).await?;
        match found {
            Some(refund) if refund.state.is_to_be_made() => Ok(advance(state, &refund).await?),
            _ => Ok(Outcome::Done),
        }
    }
}

async fn advance(state: &AppState, refund: &Refund) -> Result<Outcome, JobError> {
    let Some(transaction) = observe(state, refund).await? else { return Ok(Outcome::Later) };
    if is_over(state, refund).await? {
        return Ok(Outcome::Done);
    }
    match plan(refund, &transaction, OffsetDateTime::now_utc()) {
        Plan::Wait(after) => Ok(Outcome::Again(after)),
        Plan::Manual => give_up(state, refund, RefundState::Manual).await,
        Plan::Refuse => give_up(state, refund, RefundState::Refused).await,
        Plan::Cancel => cancel(state, refund).await,
        Plan::Refund => send(state, refund).await,
    }
}

/// Ends a refund without the money having gone back.
async fn give_up(state: &AppState, refund: &Refund, to: RefundState) -> Result<Outcome, JobError> {
    if to == RefundState::Manual {
        tracing::error!(order.id = %refund.order_id, amount = refund.amount, "refund has to be made by hand");
    }
    store::end_refund(&mut *state.db.acquire().await?, refund.id, to).await?;
    Ok(Outcome::Done)
}

/// Reads the status and applies it, which closes the refund if it turns out to be made.
async fn observe(state: &AppState, refund: &Refund) -> Result<Option<Transaction>, JobError> {
    let observation = state.midtrans.observe_transaction(&refund.transaction_id).await?;
    let transaction = observation.as_ref().map(|observation| observation.transaction.clone());
    if let Some(observation) = observation {
        let finding = Finding::Observed(Box::new(observation));
        settle(state, &refund.midtrans_order_id, finding).await?;
    }
    Ok(transaction)
}

async fn is_over(state: &AppState, refund: &Refund) -> sqlx::Result<bool> {
    let now = store::find_refund(&mut *state.db.acquire().await?, refund.id).await?;
    Ok(now.is_none_or(|now| !now.state.is_to_be_made()))
}

async fn mark_sent(state: &AppState, refund: &Refund, method: RefundMethod) -> sqlx::Result<bool> {
    store::mark_refund_sent(&mut *state.db.acquire().await?, refund.id, method).await
}

async fn cancel(state: &AppState, refund: &Refund) -> Result<Outcome, JobError> {
    if !mark_sent(state, refund, RefundMethod::Cancel).await? {
        return Ok(Outcome::Done);
    }
    match state.midtrans.cancel(&refund.transaction_id).await {
        Ok(observation) => {
            let finding = Finding::Observed(Box::new(observation));
            settle(state, &refund.midtrans_order_id, finding).await?;
            after_the_call(state, refund).await
        }
        // It has settled meanwhile.
        Err(Error::CannotUpdate(_)) => Ok(Outcome::Again(RETRY_SOON)),
        Err(error) => Err(error.into()),
    }
}

async fn send(state: &AppState, refund: &Refund) -> Result<Outcome, JobError> {
    if !mark_sent(state, refund, RefundMethod::Refund).await? {
        return Ok(Outcome::Done);
    }
    let reason = refund.reason.clone().unwrap_or_else(|| default_reason(refund).to_owned());
    let request = midtrans::Refund { key: refund.refund_key.clone(), amount: refund.amount, reason };
    match state.midtrans.refund(&refund.transaction_id, &request).await {
        // A key that is known was accepted before: the list in the status says so.
        Ok(_) | Err(Error::Conflict(_)) => {
            observe(state, refund).await?;
            after_the_call(state, refund).await
        }
        Err(Error::CannotUpdate(_)) => refused_or_overtaken(state, refund).await,
        Err(Error::RefundRejected(why)) => leave_to_a_person(state, refund, &why).await,
        Err(error @ Error::Rejected { .. }) => leave_to_a_person(state, refund, &error.to_string()).await,
        Err(error) => Err(error.into()),
    }
}

async fn leave_to_a_person(state: &AppState, refund: &Refund, why: &str) -> Result<Outcome, JobError> {
    tracing::warn!(order.id = %refund.order_id, why, "Midtrans refused a refund");
    give_up(state, refund, RefundState::Manual).await
}

/// "Not in this state": if nothing has happened to the payment, then it is its kind that cannot be refunded.
async fn refused_or_overtaken(state: &AppState, refund: &Refund) -> Result<Outcome, JobError> {
    let transaction = observe(state, refund).await?;
    let still =
        transaction.is_some_and(|found| plan(refund, &found, OffsetDateTime::now_utc()) == Plan::Refund);
    if is_over(state, refund).await? {
        return Ok(Outcome::Done);
    }
    if still { give_up(state, refund, RefundState::Manual).await } else { Ok(Outcome::Again(RETRY_SOON)) }
}

async fn after_the_call(state: &AppState, refund: &Refund) -> Result<Outcome, JobError> {
    let done = is_over(state, refund).await?;
    Ok(if done { Outcome::Done } else { Outcome::Later })
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
