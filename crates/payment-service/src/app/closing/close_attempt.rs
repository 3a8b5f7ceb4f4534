//! Closing an attempt at Midtrans, so that it can never be paid. A payment dies only on Midtrans' answer.

use midtrans::{Error, FraudStatus, Transaction, TransactionStatus};

use crate::{
    AppState,
    app::{JobError, settle::settle},
    domain::{Attempt, Finding, Observation, Status},
};

/// How often the status is read again because the customer was faster.
const ROUNDS: usize = 3;

#[derive(Debug)]
pub enum Closing {
    /// Midtrans confirmed that nothing can be paid on it any more.
    Closed,
    /// It was paid, or something else happened that T2 has to judge.
    StillOpen(Box<Observation>),
}

/// Closes an attempt: a transaction by Core cancel, a page on which nothing was chosen by its token.
///
/// # Errors
/// If Midtrans did not confirm it: nothing is known then.
pub async fn close_attempt(state: &AppState, attempt: &Attempt) -> Result<Closing, JobError> {
    for _ in 0..ROUNDS {
        let closed = match state.midtrans.observe(attempt).await? {
            None => close_page(state, attempt).await,
            Some(observation) => match next(&observation.transaction) {
                Next::Cancel => {
                    state.midtrans.cancel(&observation.transaction.transaction_id).await.map(drop)
                }
                Next::ClosePage => close_page(state, attempt).await,
                Next::Nothing => Ok(()),
                Next::Settle => return Ok(Closing::StillOpen(Box::new(observation))),
            },
        };
        match closed {
            Ok(()) => return Ok(Closing::Closed),
            // The customer has done something meanwhile.
            Err(Error::CannotUpdate(_) | Error::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(JobError::TooManyConflicts)
}

/// Closes an attempt and applies what came of it: `closed` once it can never be paid, else what Midtrans answered. Returns
/// where the payment stands then.
///
/// # Errors
/// As [`close_attempt`], and if the database does not answer.
pub async fn close_and_settle(
    state: &AppState,
    attempt: &Attempt,
    closed: Finding,
) -> Result<Option<Status>, JobError> {
    let id = &attempt.midtrans_order_id;
    Ok(match close_attempt(state, attempt).await? {
        Closing::Closed => settle(state, id, closed).await?,
        Closing::StillOpen(observation) => settle(state, id, Finding::Observed(observation)).await?,
    })
}

/// How a transaction is brought to its end.
enum Next {
    Cancel,
    ClosePage,
    Nothing,
    Settle,
}

fn next(transaction: &Transaction) -> Next {
    use TransactionStatus as Is;
    match transaction.transaction_status {
        Is::Pending | Is::Authorize => Next::Cancel,
        Is::Capture if !transaction.is_paid() && transaction.fraud_status != Some(FraudStatus::Deny) => {
            Next::Cancel
        }
        // The page still takes another card.
        Is::Deny => Next::ClosePage,
        Is::Capture if !transaction.is_paid() => Next::ClosePage,
        Is::Cancel | Is::Expire | Is::Failure => Next::Nothing,
        _ => Next::Settle,
    }
}

/// A page that Midtrans does not know cannot be paid on; neither can one that was never made.
async fn close_page(state: &AppState, attempt: &Attempt) -> Result<(), Error> {
    let Some(token) = &attempt.token else { return Ok(()) };
    match state.midtrans.cancel_page(token).await {
        Err(Error::NotFound(_)) => Ok(()),
        // In which words Midtrans declines to close a page that has expired is not documented.
        Err(Error::Rejected { .. }) if attempt.overdue => Ok(()),
        answer => answer,
    }
}
