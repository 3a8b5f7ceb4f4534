//! What can happen to an order, and what its timeline says about it.

use contracts::{
    DeliveryId,
    events::{
        DeliveryFailed, DeliveryShipped, DeliverySuccess, Event, InsufficientReason, PaymentFailed,
        PaymentFailure, PaymentRefunded, PaymentReversed, PaymentSuccess, RefundCause, ReversalKind,
        Shortage, StockInsufficient, StockReserved,
    },
};

use super::PaymentPage;

/// Money of a payment that was refunded, in rupiah.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    pub cause: RefundCause,
    pub amount: i64,
    /// With all refunds before it, in whole rupiah.
    pub total: i64,
    /// Whether nothing of the payment is left.
    pub full: bool,
}

/// What can happen to an order, beside a request to cancel it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Its goods are held; with the page to pay on, unless the payment is closed already.
    StockReserved(Option<PaymentPage>),
    /// There are too few of some goods.
    StockInsufficient(InsufficientReason, Vec<Shortage>),
    /// It is paid: the amount, and how.
    PaymentSuccess(i64, String),
    PaymentFailed(PaymentFailure),
    PaymentRefunded(Refund),
    /// Money was taken back: the amount, and how.
    PaymentReversed(i64, ReversalKind),
    /// Its goods have left, with this number of the carrier.
    DeliveryShipped(DeliveryId, Option<String>),
    /// Its goods have arrived at the buyer.
    DeliverySuccess(DeliveryId),
    /// Its goods come back; what the courier said.
    DeliveryFailed(DeliveryId, Option<String>),
    /// Nobody answered for too long. The input of the `time-out` job.
    TimedOut,
}

impl Input {
    /// What the timeline names as the cause.
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::StockReserved(_) => StockReserved::TYPE,
            Self::StockInsufficient(..) => StockInsufficient::TYPE,
            Self::PaymentSuccess(..) => PaymentSuccess::TYPE,
            Self::PaymentFailed(_) => PaymentFailed::TYPE,
            Self::PaymentRefunded(_) => PaymentRefunded::TYPE,
            Self::PaymentReversed(..) => PaymentReversed::TYPE,
            Self::DeliveryShipped(..) => DeliveryShipped::TYPE,
            Self::DeliverySuccess(_) => DeliverySuccess::TYPE,
            Self::DeliveryFailed(..) => DeliveryFailed::TYPE,
            Self::TimedOut => "TimedOut",
        }
    }

    /// What the timeline adds to the cause, for people.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::StockReserved(Some(_)) | Self::TimedOut => None,
            Self::StockReserved(None) => Some("the payment is closed already".to_owned()),
            Self::StockInsufficient(_, missing) => Some(list(missing)),
            Self::PaymentSuccess(amount, kind) => Some(format!("{amount} by {kind}")),
            Self::PaymentFailed(reason) => Some(failure(*reason).to_owned()),
            Self::PaymentRefunded(made) => {
                let Refund { amount, total, .. } = made;
                Some(format!("{amount} went back ({}), {total} in all", refund(made.cause)))
            }
            Self::PaymentReversed(amount, kind) => {
                Some(format!("{amount} was taken back: {}", reversal(*kind)))
            }
            Self::DeliveryShipped(id, None) | Self::DeliverySuccess(id) | Self::DeliveryFailed(id, None) => {
                Some(format!("delivery {id}"))
            }
            Self::DeliveryShipped(id, Some(number)) => {
                Some(format!("delivery {id}, tracking number {number}"))
            }
            Self::DeliveryFailed(id, Some(note)) => Some(format!("delivery {id}: {note}")),
        }
    }
}

fn list(missing: &[Shortage]) -> String {
    let line =
        |s: &Shortage| format!("product {}: {} wanted, {} free", s.product_id, s.requested, s.available);
    missing.iter().map(line).collect::<Vec<_>>().join("; ")
}

const fn failure(reason: PaymentFailure) -> &'static str {
    match reason {
        PaymentFailure::Expired => "expired",
        PaymentFailure::Denied => "denied",
        PaymentFailure::Cancelled => "cancelled",
        PaymentFailure::NotCreated => "not created",
    }
}

const fn refund(cause: RefundCause) -> &'static str {
    match cause {
        RefundCause::DeliveryFailed => "delivery failed",
        RefundCause::Late => "paid late",
        RefundCause::Admin => "an administrator's decision",
        RefundCause::Cancelled => "cancelled",
    }
}

const fn reversal(kind: ReversalKind) -> &'static str {
    match kind {
        ReversalKind::Chargeback => "chargeback",
        ReversalKind::DeniedAfterSettlement => "denied after settlement",
    }
}

impl From<StockInsufficient> for Input {
    fn from(event: StockInsufficient) -> Self {
        Self::StockInsufficient(event.reason, event.items)
    }
}

impl From<PaymentSuccess> for Input {
    fn from(event: PaymentSuccess) -> Self {
        Self::PaymentSuccess(event.amount, event.payment_type)
    }
}

impl From<PaymentFailed> for Input {
    fn from(event: PaymentFailed) -> Self {
        Self::PaymentFailed(event.reason)
    }
}

impl From<PaymentRefunded> for Input {
    fn from(event: PaymentRefunded) -> Self {
        let PaymentRefunded { cause, amount, refunded_total: total, full, .. } = event;
        Self::PaymentRefunded(Refund { cause, amount, total, full })
    }
}

impl From<PaymentReversed> for Input {
    fn from(event: PaymentReversed) -> Self {
        Self::PaymentReversed(event.amount, event.kind)
    }
}

impl From<DeliveryShipped> for Input {
    fn from(event: DeliveryShipped) -> Self {
        Self::DeliveryShipped(event.delivery_id, event.tracking_number)
    }
}

impl From<DeliverySuccess> for Input {
    fn from(event: DeliverySuccess) -> Self {
        Self::DeliverySuccess(event.delivery_id)
    }
}

impl From<DeliveryFailed> for Input {
    fn from(event: DeliveryFailed) -> Self {
        Self::DeliveryFailed(event.delivery_id, event.note)
    }
}
