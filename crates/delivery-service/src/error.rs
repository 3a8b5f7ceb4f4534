//! What the errors of this service are to its callers.

use chassis::Problem;

use crate::app::{AdvanceDeliveryError, CancelDeliveryError};

/// The answer where a delivery does not exist, or is somebody else's.
pub(crate) fn no_such_delivery() -> Problem {
    Problem::not_found("There is no such delivery.")
}

/// 409, `FAILED_PRECONDITION` over gRPC: the caller means another order that had the same number.
pub(crate) fn another_order() -> Problem {
    Problem::conflict("another_order", "The delivery is for another order, of another buyer.")
}

impl From<CancelDeliveryError> for Problem {
    fn from(error: CancelDeliveryError) -> Self {
        match error {
            CancelDeliveryError::Mismatch => another_order(),
            CancelDeliveryError::Database(error) => error.into(),
        }
    }
}

impl From<AdvanceDeliveryError> for Problem {
    fn from(error: AdvanceDeliveryError) -> Self {
        match error {
            AdvanceDeliveryError::Unknown => no_such_delivery(),
            AdvanceDeliveryError::Illegal(illegal) => {
                let detail = format!("A delivery that is {} cannot become {}.", illegal.from, illegal.to);
                Self::conflict("illegal_change", detail)
                    .with("from", illegal.from.as_str())
                    .with("to", illegal.to.as_str())
            }
            AdvanceDeliveryError::NotPaid => Self::conflict(
                "not_paid",
                "The order's money is not there any more: the goods must not leave. Cancel the order, or find out why.",
            ),
            AdvanceDeliveryError::Payments(status) => Self::from_peer(
                status,
                "payment_unavailable",
                "payment-service does not say whether the money is there; try again soon.",
            ),
            AdvanceDeliveryError::Database(error) => error.into(),
        }
    }
}
