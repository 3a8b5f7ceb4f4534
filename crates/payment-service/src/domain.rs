//! What a payment is, how Midtrans' answers change it, and how money is refunded. Pure: no IO.

mod answer;
mod attempt;
mod events;
mod observation;
mod refund;
mod schedule;
mod settlement;
mod status;

use chassis::context::Trace;
use contracts::{OrderId, UserId, events::Subject};
use time::OffsetDateTime;

pub use answer::{Answer, Canceller, classify};
pub use attempt::{Attempt, new_midtrans_order_id};
pub use observation::{AskedBy, Observation};
pub use refund::{
    Booking, Plan, Refund, RefundMethod, RefundState, bookings, left_to_refund, plan, reserved,
};
pub use schedule::{Poll, next_poll};
pub use settlement::{Finding, Settlement};
pub use status::{Effect, RefundEffect, Status, Transition};

/// The payment of an order: what it costs, how far Midtrans is known to have come, and what went back.
#[derive(Debug, Clone)]
pub struct Payment {
    /// The order; there is one payment for each.
    pub order_id: OrderId,
    pub user_id: UserId,
    /// What the order costs, in rupiah. `None` for an order that ended before it was known.
    pub amount: Option<i64>,
    pub status: Status,
    /// When the page and the payment end, once there is a page.
    pub expires_at: Option<OffsetDateTime>,
    /// The transaction that paid it; another one that pays as well is refunded.
    pub paid: Option<Paid>,
    /// What went back in all, in whole rupiah.
    pub refunded_amount: i64,
    /// The order is FAILED or CANCELLED: money that comes from now on is refunded.
    pub order_ended: bool,
    /// The goods could not be delivered: the order ends once everything has gone back.
    pub undelivered: bool,
    /// The trace of the purchase, for what is published because of Midtrans.
    pub trace: Trace,
}

/// How a payment was paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// The attempt on whose page it was.
    pub midtrans_order_id: String,
    /// Midtrans' id of the transaction that did.
    pub transaction_id: String,
    /// In Midtrans' words, such as `credit_card`.
    pub payment_type: String,
    /// When, by Midtrans' clock where it says so, else by ours.
    pub at: OffsetDateTime,
    /// What was charged for the order, in rupiah.
    pub amount: i64,
}

impl Payment {
    /// T2, with what is known of the order: what is paid after its end is refunded, and one whose goods could not be delivered
    /// waits for the money to have gone.
    #[must_use]
    pub fn on(&self, answer: Answer) -> Transition {
        let Transition { to, mut effects, mut refunds } = self.status.on(answer);
        if self.order_ended && effects.contains(&Effect::PublishSuccess) {
            effects.retain(|effect| *effect != Effect::PublishSuccess);
            refunds.insert(0, RefundEffect::RefundLate);
        }
        if self.undelivered && effects.iter().any(|effect| matches!(effect, Effect::PublishReversed(_))) {
            effects.push(Effect::PublishNothingLeft);
        }
        Transition { to, effects, refunds }
    }

    /// What follows from an answer about another transaction than the one that paid: what that one took is refunded, and the
    /// payment stays as it is.
    #[must_use]
    pub fn on_second(&self, answer: Answer) -> Transition {
        match answer {
            Answer::Paid | Answer::PaidOtherwise => {
                self.status.stays(&[]).refunding(RefundEffect::RefundLate)
            }
            Answer::Challenged => self.status.stays(&[Effect::Void]),
            Answer::TakenBack | Answer::PartlyRefunded | Answer::Refunded => {
                self.status.stays(&[]).refunding(RefundEffect::Complete)
            }
            Answer::Waiting
            | Answer::Denied
            | Answer::Expired
            | Answer::Cancelled
            | Answer::Failed
            | Answer::Closed
            | Answer::TimedOut
            | Answer::ChargedBack => self.status.stays(&[]),
        }
    }

    /// Whether an event or a question is about the order that this payment is for. A tombstone does not know its price.
    pub fn is_of(&self, subject: &Subject) -> bool {
        subject.can_be(Some(self.user_id), self.amount)
    }

    /// Whether a transaction is another one than the one that paid.
    pub fn paid_by_another(&self, transaction_id: &str) -> bool {
        self.paid.as_ref().is_some_and(|paid| paid.transaction_id != transaction_id)
    }

    /// What was charged for the order, in whole rupiah; 0 if it was not paid.
    pub fn paid_amount(&self) -> i64 {
        self.paid.as_ref().map_or(0, |paid| paid.amount)
    }
}

impl Paid {
    /// What Midtrans says of a transaction that paid an attempt. `now` stands in where it does not say when.
    pub fn by(attempt: &Attempt, transaction: &midtrans::Transaction, now: OffsetDateTime) -> Self {
        Self {
            midtrans_order_id: attempt.midtrans_order_id.clone(),
            transaction_id: transaction.transaction_id.clone(),
            payment_type: transaction.payment_type.clone(),
            at: transaction.settlement_time.or(transaction.transaction_time).unwrap_or(now),
            amount: transaction.charged_for_order(),
        }
    }
}
