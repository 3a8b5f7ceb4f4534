//! Closing an attempt at Midtrans, so that it can never be paid. A payment dies only on Midtrans' answer.

use std::time::Duration;

use midtrans::{Error, FraudStatus, Transaction, TransactionStatus};
use time::OffsetDateTime;

use super::Trouble;
use crate::{App, domain::Attempt};

/// How often the status is read again because the customer was faster.
const ROUNDS: usize = 3;

/// How far Midtrans' clock may be behind ours.
const CLOCKS: Duration = Duration::from_mins(1);

/// What became of the wish to close.
#[derive(Debug)]
pub enum Closing {
    /// It can never be paid.
    Closed,
    /// It was paid, or something else happened that T2 has to judge.
    Stands(Box<Transaction>),
}

/// Closes an attempt: a transaction by Core cancel, a page on which nothing was chosen by its token.
///
/// # Errors
/// If Midtrans did not confirm it: nothing is known then.
pub async fn close_attempt(app: &App, attempt: &Attempt) -> Result<Closing, Trouble> {
    for _ in 0..ROUNDS {
        let closed = match app.midtrans.look(attempt).await? {
            None => close_page(app, attempt).await,
            Some(transaction) => match next(&transaction) {
                Next::Cancel => app.midtrans.cancel(&transaction.transaction_id).await.map(drop),
                Next::ClosePage => close_page(app, attempt).await,
                Next::Nothing => Ok(()),
                Next::Judge => return Ok(Closing::Stands(Box::new(transaction))),
            },
        };
        match closed {
            Ok(()) => return Ok(Closing::Closed),
            // The customer has done something meanwhile.
            Err(Error::CannotUpdate(_) | Error::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Trouble::Restless)
}

/// How a transaction is brought to its end.
enum Next {
    Cancel,
    ClosePage,
    Nothing,
    Judge,
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
        _ => Next::Judge,
    }
}

/// A page that Midtrans does not know cannot be paid on; neither can one that was never made.
async fn close_page(app: &App, attempt: &Attempt) -> Result<(), Error> {
    let Some(token) = &attempt.token else { return Ok(()) };
    match app.midtrans.cancel_page(token).await {
        Err(Error::NotFound(_)) => Ok(()),
        // In which words Midtrans declines to close a page that has expired is not documented (section 2.2).
        Err(Error::Rejected { .. }) if has_expired(app, attempt) => Ok(()),
        answer => answer,
    }
}

fn has_expired(app: &App, attempt: &Attempt) -> bool {
    let lifetime = app.config.payment_expiry() + CLOCKS;
    attempt.linked_at.is_some_and(|made| OffsetDateTime::now_utc() > made + lifetime)
}
