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
    Payment(PaymentFailure),
    /// Stock or payment did not answer in time.
    Timeout,
}

impl FailureReason {
    /// The name on the wire, which never changes.
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
    /// Placed: whether its goods can be held is not known yet.
    Received,
    /// Can be paid, there and until then.
    AwaitingPayment(PaymentPage),
    /// Paid, and the goods have not left.
    Paid,
    /// The goods have left, with this delivery.
    Shipped(DeliveryId),
    /// The goods have arrived, with this delivery.
    Delivered(DeliveryId),
    /// The goods could not be delivered, and come back.
    DeliveryFailed(DeliveryId),
    /// Ended without money, for this reason.
    Failed(FailureReason),
    /// Ended because somebody requested it.
    Cancelled {
        /// On whose request it ended.
        cause: CancelCause,
        /// Why, in the words of the requester.
        reason: Option<String>,
    },
    /// Ended with its money refunded: so many rupiah in all.
    Refunded(i64),
}

impl State {
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

    /// Where it can be paid; only an order that waits for its payment has that.
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
