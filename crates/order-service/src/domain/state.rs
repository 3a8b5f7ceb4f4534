//! The states of an order with what belongs to each.

use std::time::Duration;

use contracts::{
    DeliveryId,
    events::{CancelCause, PaymentFailure},
};
use time::OffsetDateTime;

use super::Status;

/// Where and until when an order can be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentPage {
    pub url: String,
    /// When the page and the payment end, by payment-service's clock.
    pub expires: OffsetDateTime,
    /// How long that still is: by this the order is looked at again, since the clock that does so is another one.
    pub lifetime: Duration,
}

/// Why an order failed. The names are for programs and do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureReason {
    /// Too little of something was free.
    StockInsufficient,
    /// Something of it was taken off sale.
    ProductGone,
    /// The payment ended without money.
    Payment(PaymentFailure),
    /// Nobody answered.
    Timeout,
}

impl FailureReason {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StockInsufficient => "stock_insufficient",
            Self::ProductGone => "product_gone",
            Self::Payment(PaymentFailure::Expired) => "payment_expired",
            Self::Payment(PaymentFailure::Denied) => "payment_denied",
            Self::Payment(PaymentFailure::Cancelled) => "payment_cancelled",
            Self::Payment(PaymentFailure::NotCreated) => "payment_not_created",
            Self::Timeout => "timeout",
        }
    }

    /// The cause that [`OrderCancelled`](contracts::events::OrderCancelled) has.
    pub const fn cause(self) -> CancelCause {
        match self {
            Self::StockInsufficient | Self::ProductGone => CancelCause::Stock,
            Self::Payment(_) => CancelCause::Payment,
            Self::Timeout => CancelCause::Timeout,
        }
    }
}

/// A state with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Placed.
    Received,
    /// Can be paid, there and until then.
    AwaitingPayment(PaymentPage),
    /// Paid.
    Paid,
    /// Left, with this delivery.
    Shipped(DeliveryId),
    /// Arrived, with this delivery.
    Delivered(DeliveryId),
    /// Came back from this delivery.
    DeliveryFailed(DeliveryId),
    /// Ended unpaid, for this reason.
    Failed(FailureReason),
    /// Ended on request.
    Cancelled {
        /// Whose request.
        cause: CancelCause,
        /// Why, in their words.
        reason: Option<String>,
    },
    /// Refunded, this much in all.
    Refunded(i64),
}

impl State {
    /// The state's name.
    pub const fn status(&self) -> Status {
        match self {
            Self::Received => Status::Received,
            Self::AwaitingPayment(_) => Status::AwaitingPayment,
            Self::Paid => Status::Paid,
            Self::Shipped(_) => Status::Shipped,
            Self::Delivered(_) => Status::Delivered,
            Self::DeliveryFailed(_) => Status::DeliveryFailed,
            Self::Failed(_) => Status::Failed,
            Self::Cancelled { .. } => Status::Cancelled,
            Self::Refunded(_) => Status::Refunded,
        }
    }

    /// The page to pay at.
    pub const fn page(&self) -> Option<&PaymentPage> {
        match self {
            Self::AwaitingPayment(page) => Some(page),
            _ => None,
        }
    }

    /// The delivery that is known by now.
    pub const fn delivery(&self) -> Option<DeliveryId> {
        match self {
            Self::Shipped(id) | Self::Delivered(id) | Self::DeliveryFailed(id) => Some(*id),
            _ => None,
        }
    }

    /// What was refunded in all, in rupiah.
    pub const fn refunded(&self) -> Option<i64> {
        match self {
            Self::Refunded(total) => Some(*total),
            _ => None,
        }
    }

    /// What the order shows as the reason of its end.
    pub fn failure_reason(&self) -> Option<&str> {
        match self {
            Self::Failed(reason) => Some(reason.as_str()),
            Self::Cancelled { reason, .. } => reason.as_deref(),
            _ => None,
        }
    }
}
