//! `CancelPayment`: order-service closes an unpaid payment for good.

use chassis::database::commit;
use contracts::{OrderId, UserId, events::RefundCause};

use crate::{
    AppState,
    app::{
        JobError,
        closing::close_attempt::{Closing, close_attempt},
        publish,
        settle::settle,
    },
    domain::{Finding, Refund, Status},
    store,
};

/// What became of a request to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    /// Midtrans confirmed that it can never be paid.
    Cancelled,
    /// It was paid before it could be closed.
    Paid,
    /// Midtrans did not confirm it, and nothing has changed: ask again.
    Unknown,
}

#[derive(Debug, thiserror::Error)]
pub enum CancelPaymentError {
    /// The payment is for another order that had the same number.
    #[error("the payment is another buyer's")]
    Mismatch,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Closes the payment of an order, as Midtrans confirms it. The work goes on if the caller does not wait for it.
///
/// # Errors
/// As listed by [`CancelPaymentError`].
pub async fn cancel_payment(
    state: &AppState,
    order_id: OrderId,
    user_id: Option<UserId>,
) -> Result<Cancellation, CancelPaymentError> {
    let known = store::find_payment(&mut *state.db.acquire().await?, order_id).await?;
    if known.is_some_and(|payment| user_id.is_some_and(|user_id| user_id != payment.user_id)) {
        return Err(CancelPaymentError::Mismatch);
    }
    let work = {
        let state = state.clone();
        async move { cancel(&state, order_id).await }
    };
    match state.lifecycle.finish(work).await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(JobError::Database(error))) => Err(error.into()),
        Ok(Err(error @ (JobError::Midtrans(_) | JobError::TooManyConflicts))) => {
            let error = chassis::error_chain(&error);
            tracing::warn!(order.id = %order_id, error, "the payment could not be closed");
            Ok(Cancellation::Unknown)
        }
        Err(panicked) => {
            tracing::error!(order.id = %order_id, error = %panicked, "closing the payment failed");
            Ok(Cancellation::Unknown)
        }
    }
}

async fn cancel(state: &AppState, order_id: OrderId) -> Result<Cancellation, JobError> {
    let mut db = state.db.acquire().await?;
    let Some(payment) = store::find_payment(&mut db, order_id).await? else {
        return Ok(Cancellation::Unknown);
    };
    if !payment.status.is_open() {
        drop(db);
        return Ok(publish_again(state, order_id).await?);
    }
    // A notification of our own cancel may be handled before Midtrans' answer to it arrives here.
    store::start_closing(&mut db, order_id).await?;
    let attempts = store::list_attempts(&mut db, order_id).await?;
    drop(db);
    let pages: Vec<_> = attempts.iter().filter(|attempt| attempt.token.is_some()).collect();
    for page in &pages {
        if let Closing::StillOpen(observation) = close_attempt(state, page).await? {
            store::end_closing(&mut *state.db.acquire().await?, order_id).await?;
            let status = settle(state, &page.midtrans_order_id, Finding::Observed(observation)).await?;
            return Ok(status.map_or(Cancellation::Unknown, outcome));
        }
    }
    let status = match pages.last() {
        Some(page) => settle(state, &page.midtrans_order_id, Finding::Closed).await?,
        None => cancel_without_page(state, order_id).await?,
    };
    Ok(status.map_or(Cancellation::Unknown, outcome))
}

/// Nobody can pay without a page. One that is being made at this moment is closed by whoever makes it.
async fn cancel_without_page(state: &AppState, order_id: OrderId) -> sqlx::Result<Option<Status>> {
    let mut tx = state.db.begin().await?;
    let Some(mut payment) = store::lock_payment(&mut tx, order_id).await? else { return Ok(None) };
    let attempts = store::list_attempts(&mut tx, order_id).await?;
    let paged = attempts.iter().any(|attempt| attempt.token.is_some());
    if payment.status == Status::Pending && !paged {
        store::move_payment(&mut tx, &payment, Status::Cancelled, "closed").await?;
        payment.status = Status::Cancelled;
    }
    commit(tx).await?;
    Ok(Some(payment.status))
}

/// Publishes a success once more: a caller that asks for a payment that is not open has missed how it ended. What was paid
/// after its end is refunded, so that for the order it was never paid.
async fn publish_again(state: &AppState, order_id: OrderId) -> sqlx::Result<Cancellation> {
    let mut tx = state.db.begin().await?;
    let Some(payment) = store::lock_payment(&mut tx, order_id).await? else {
        return Ok(Cancellation::Unknown);
    };
    let Some(paid) = &payment.paid else { return Ok(outcome(payment.status)) };
    let refunds = store::list_refunds(&mut tx, order_id).await?;
    let late =
        |refund: &Refund| refund.cause == RefundCause::Late && refund.transaction_id == paid.transaction_id;
    if refunds.iter().any(late) {
        return Ok(Cancellation::Cancelled);
    }
    if payment.status.is_paid() {
        publish(&mut tx, &payment, payment.success_event()).await?;
        state.outbox.commit(tx).await?;
    }
    Ok(outcome(payment.status))
}

fn outcome(status: Status) -> Cancellation {
    match status {
        Status::Failed | Status::Cancelled => Cancellation::Cancelled,
        Status::Success | Status::PartiallyRefunded | Status::Refunded | Status::Reversed => {
            Cancellation::Paid
        }
        Status::Pending | Status::Challenge | Status::Review => Cancellation::Unknown,
    }
}
