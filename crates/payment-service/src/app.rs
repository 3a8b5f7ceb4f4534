//! What this service does, a file per use case. Only here are transactions opened and committed, and Midtrans is never
//! called inside of one.

pub mod cancel_payment;
pub mod close_attempt;
pub mod confirm_payment;
pub mod decide_review;
pub mod end_order;
pub mod handle_notification;
pub mod maintenance;
pub mod make_link;
pub mod make_refund;
pub mod open_payments;
pub mod poll_payment;
pub mod receive_notification;
pub mod record_refund;
pub mod refund_undelivered;
pub mod request_refund;
pub mod settle;
pub mod view_payment;
pub mod void_attempt;

use contracts::events::Event;
use messaging::HandlerError;
use sqlx::PgTransaction;

use crate::domain::Payment;

/// Refuses an event about another order that had the number of the payment's.
fn require_same_order<E: Event>(payment: &Payment, event: &E) -> Result<(), HandlerError> {
    if event.subject().is_none_or(|subject| payment.is_of(&subject)) {
        return Ok(());
    }
    let (order_id, event) = (payment.order_id, E::TYPE);
    Err(HandlerError::reject(format!(
        "{event} is about another order {order_id}: its buyer or price differs from the payment's"
    )))
}

/// Appends an event as part of the purchase that the payment belongs to, whoever brought the news.
async fn publish<E: Event>(tx: &mut PgTransaction<'_>, payment: &Payment, event: E) -> sqlx::Result<()> {
    messaging::outbox::append_all(tx, [(payment.trace.clone(), event)]).await
}

/// Why a job has to be tried again.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Midtrans did not answer, or not as it should.
    #[error("Midtrans")]
    Midtrans(#[from] midtrans::Error),
    /// The database did not answer, or not as it should.
    #[error("the database")]
    Database(#[from] sqlx::Error),
    /// Each time the payment was about to be closed, its state had changed.
    #[error("the payment changes faster than it can be closed")]
    TooManyConflicts,
}
