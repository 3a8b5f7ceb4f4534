//! The review route: an administrator decides about a payment of another amount than asked for.

use contracts::{
    OrderId,
    events::{PaymentFailure, RefundCause},
};
use sqlx::PgTransaction;

use crate::{
    AppState,
    app::{publish, refunds::refund_undelivered::refund_rest},
    domain::{Paid, Payment, Status},
    store::{self, View},
};

/// What to do with the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The order counts as paid, with what was paid.
    Accept,
    /// It is refunded, and the order has failed.
    Refund,
}

/// Why the decision does not count.
#[derive(Debug, thiserror::Error)]
pub enum DecideReviewError {
    #[error("the order has no payment")]
    Unknown,
    /// The payment is not in review: no other amount was paid, or somebody has decided already.
    #[error("the payment is not in review")]
    NotInReview,
    /// The order has ended meanwhile: the money can only go back.
    #[error("the order has ended")]
    OrderEnded,
    /// The money is not there any more, as after a refund on Midtrans' dashboard.
    #[error("Midtrans holds no money for the order")]
    NotPaid,
    /// Midtrans did not say whether the money is still there.
    #[error("Midtrans did not answer")]
    Midtrans(#[from] midtrans::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Closes a review.
///
/// # Errors
/// If there is none, or it cannot be closed in this way.
pub async fn decide_review(
    state: &AppState,
    order_id: OrderId,
    decision: Decision,
) -> Result<View, DecideReviewError> {
    if decision == Decision::Accept {
        require_money(state, order_id).await?;
    }
    let mut tx = state.db.begin().await?;
    let payment = store::lock_payment(&mut tx, order_id).await?.ok_or(DecideReviewError::Unknown)?;
    decidable(&payment, decision)?;
    let to = payment.status.after_decision().ok_or(DecideReviewError::NotInReview)?;
    carry_out(&mut tx, &payment, decision, to).await?;
    let view = store::find_view(&mut tx, order_id, None).await?.ok_or(DecideReviewError::Unknown)?;
    state.outbox.commit(tx).await?;
    state.jobs.wake();
    Ok(view)
}

/// What was paid, if this can be decided about it.
fn decidable(payment: &Payment, decision: Decision) -> Result<&Paid, DecideReviewError> {
    let paid = payment.paid.as_ref().filter(|_| payment.status.after_decision().is_some());
    let paid = paid.ok_or(DecideReviewError::NotInReview)?;
    if payment.order_ended && decision == Decision::Accept {
        return Err(DecideReviewError::OrderEnded);
    }
    Ok(paid)
}

/// No answer of Midtrans moves a payment in review, so it is asked before goods are sent for it.
async fn require_money(state: &AppState, order_id: OrderId) -> Result<(), DecideReviewError> {
    let payment = store::find_payment(&mut *state.db.acquire().await?, order_id).await?;
    let payment = payment.ok_or(DecideReviewError::Unknown)?;
    let paid = decidable(&payment, Decision::Accept)?;
    let observation = state.midtrans.observe_transaction(&paid.transaction_id).await?;
    let there = observation.is_some_and(|observation| observation.transaction.is_paid());
    if there { Ok(()) } else { Err(DecideReviewError::NotPaid) }
}

async fn carry_out(
    tx: &mut PgTransaction<'_>,
    payment: &Payment,
    decision: Decision,
    to: Status,
) -> sqlx::Result<()> {
    let cause = match decision {
        Decision::Accept => "accepted",
        Decision::Refund => "not_accepted",
    };
    store::move_payment(tx, payment, to, cause).await?;
    match decision {
        Decision::Accept => publish(tx, payment, payment.success_event()).await,
        Decision::Refund => {
            publish(tx, payment, [payment.failed_event(PaymentFailure::Cancelled)]).await?;
            refund_rest(tx, payment, RefundCause::Admin).await
        }
    }
}
