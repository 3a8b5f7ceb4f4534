//! What this service does, a file per use case. Only here are transactions opened and committed, and Midtrans is never
//! called inside of one.

pub mod book_refund;
pub mod cancel_payment;
pub mod close_attempt;
pub mod decide_review;
pub mod end_order;
pub mod handle_notifications;
pub mod keep_house;
pub mod make_link;
pub mod make_refunds;
pub mod make_voids;
pub mod open_payments;
pub mod poll_payments;
pub mod receive_notification;
pub mod refund_undelivered;
pub mod request_refund;
pub mod settle;
pub mod view_payment;

use contracts::events::Event;
use sqlx::PgTransaction;

use crate::domain::Payment;

/// Appends an event as part of the purchase that the payment belongs to, whoever brought the news.
async fn publish<E: Event>(tx: &mut PgTransaction<'_>, payment: &Payment, event: E) -> sqlx::Result<()> {
    messaging::outbox::append_all(tx, [(payment.trace.clone(), event)]).await
}

/// Why a piece of background work has to be done again.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Midtrans did not answer, or not as it should.
    #[error("Midtrans")]
    Midtrans(#[from] midtrans::Error),
    /// The database did not answer, or not as it should.
    #[error("the database")]
    Database(#[from] sqlx::Error),
    /// Midtrans changed its mind each time it was asked.
    #[error("the payment changes faster than it can be closed")]
    Restless,
}
