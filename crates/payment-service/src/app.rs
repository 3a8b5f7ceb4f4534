//! What this service does, a file per use case, in folders by topic. Only here are transactions opened and committed, and Midtrans is never
//! called inside of one.

pub mod checkout;
pub mod closing;
pub mod maintenance;
pub mod notifications;
pub mod refunds;
pub mod review;
pub mod settle;

use contracts::events::Event;
use messaging::HandlerError;
use sqlx::PgTransaction;

use crate::domain::Payment;

pub use self::{
    checkout::{
        confirm_payment::{ConfirmPaymentError, confirm_payment},
        make_link::{LinkRequest, MakeLinkError, PaymentLink, make_link, make_links},
        open_payments::open_payments,
        view_payment::view_payment,
    },
    closing::{
        cancel_payment::{CancelPaymentError, Cancellation, cancel_payment},
        end_orders::end_orders,
        void_attempt::VoidAttempt,
    },
    notifications::{
        handle_notification::{FindHint, HandleNotification},
        poll_payment::PollPayment,
        receive_notification::{ReceiveNotificationError, receive_notification},
    },
    refunds::{
        enqueue_refund::MakeRefund,
        refund_undelivered::refund_undelivered,
        request_refund::{RefundRequest, RequestRefundError, Requester, request_refund},
    },
    review::{DecideReviewError, Decision, decide_review},
};

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

/// Appends an event, if there is one, as part of the purchase that the payment belongs to, whatever the observation came from.
async fn publish<E: Event>(
    tx: &mut PgTransaction<'_>,
    payment: &Payment,
    event: impl IntoIterator<Item = E>,
) -> sqlx::Result<()> {
    let events = event.into_iter().map(|event| (payment.trace.clone(), event));
    messaging::outbox::append_all(tx, events).await.map(drop)
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
