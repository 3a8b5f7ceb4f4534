//! What the errors of this service are to its callers.

use chassis::{Codes, Problem, Refuses, codes};

use crate::app::{AdvanceDeliveryError, CancelDeliveryError};

codes! {
    /// Why this service refuses a request.
    pub enum Code {
        /// There is no such delivery, or it is not yours.
        UnknownDelivery(NOT_FOUND, "not_found"),
        /// The order has no delivery yet.
        NoDeliveryYet(NOT_FOUND, "not_found"),
        /// The delivery is for another order, of another buyer.
        AnotherOrder(CONFLICT, "another_order"),
        /// It cannot get there from where it is.
        IllegalChange(CONFLICT, "illegal_change"),
        /// The order's money is not there any more: the goods must not leave. Cancel the order, or find out why.
        NotPaid(CONFLICT, "not_paid"),
        /// payment-service does not say whether the money is there; try again soon.
        PaymentUnavailable(SERVICE_UNAVAILABLE, "payment_unavailable"),
    }
}

impl From<CancelDeliveryError> for Problem {
    fn from(error: CancelDeliveryError) -> Self {
        match error {
            CancelDeliveryError::Mismatch => Code::AnotherOrder.into(),
            CancelDeliveryError::Database(error) => error.into(),
        }
    }
}

impl Refuses for AdvanceDeliveryError {
    const CODES: Codes =
        &[&Code::UnknownDelivery, &Code::IllegalChange, &Code::NotPaid, &Code::PaymentUnavailable];
}

impl From<AdvanceDeliveryError> for Problem {
    fn from(error: AdvanceDeliveryError) -> Self {
        match error {
            AdvanceDeliveryError::Unknown => Code::UnknownDelivery.into(),
            AdvanceDeliveryError::Illegal(illegal) => {
                let detail = format!("A delivery that is {} cannot become {}.", illegal.from, illegal.to);
                Self::new(Code::IllegalChange, detail)
                    .with("from", illegal.from.as_str())
                    .with("to", illegal.to.as_str())
            }
            AdvanceDeliveryError::NotPaid => Code::NotPaid.into(),
            AdvanceDeliveryError::Payments(status) => Self::from_peer(status, Code::PaymentUnavailable),
            AdvanceDeliveryError::Database(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented() {
        let faults = testkit::undocumented::<crate::DeliveryService>(Code::ALL, &[&Code::AnotherOrder]);
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
