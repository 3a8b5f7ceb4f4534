//! What each failure of a use case means to the caller: the one place where that is decided.

use chassis::{Codes, Problem, Refuses, codes};

use crate::app::{
    CancelPaymentError, ConfirmPaymentError, DecideReviewError, MakeLinkError, ReceiveNotificationError,
    RequestRefundError,
};

codes! {
    /// Why this service refuses a request.
    pub enum Code {
        /// The order has no payment, or is not yours.
        UnknownPayment(NOT_FOUND, "not_found"),
        /// The payment is for another order, of another buyer.
        AnotherOrder(CONFLICT, "another_order"),
        /// The payment has ended.
        PaymentClosed(CONFLICT, "payment_closed"),
        /// The signature is not that of a notification for this account.
        WrongSignature(FORBIDDEN, "wrong_signature"),
        /// The notification could not be stored; send it again.
        NotStored(SERVICE_UNAVAILABLE, "not_stored"),
        /// That much cannot go back.
        NotRefundable(CONFLICT, "not_refundable"),
        /// The goods have not left: cancel the order, and all of the money goes back by itself.
        CancelFirst(CONFLICT, "cancel_first"),
        /// A refund of this payment has this reference already: it was entered before.
        ReferenceUsed(CONFLICT, "reference_used"),
        /// This Idempotency-Key was used for another request.
        IdempotencyKeyReused(UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
        /// order-service does not say whether the goods have left.
        OrderUnavailable(SERVICE_UNAVAILABLE, "order_unavailable"),
        /// There is nothing to decide about this payment.
        NotInReview(CONFLICT, "not_in_review"),
        /// The order has ended meanwhile: its money can only be refunded.
        OrderEnded(CONFLICT, "order_ended"),
        /// Midtrans holds the money no more: it went back already. Refund it, to close the review.
        NotPaid(CONFLICT, "not_paid"),
        /// Midtrans does not say whether the money is still there.
        MidtransUnavailable(SERVICE_UNAVAILABLE, "midtrans_unavailable"),
    }
}

impl From<MakeLinkError> for Problem {
    fn from(error: MakeLinkError) -> Self {
        let detail = "Midtrans does not make payment pages at the moment; try again soon.";
        match error {
            MakeLinkError::Unknown => Code::UnknownPayment.into(),
            MakeLinkError::Mismatch => Self::invalid_field("amount", "the order has another amount or buyer"),
            MakeLinkError::Closed => Code::PaymentClosed.into(),
            MakeLinkError::Busy => Self::new(Code::MidtransUnavailable, "The payment page is being made."),
            MakeLinkError::Midtrans(source) => Self::new(Code::MidtransUnavailable, detail).caused_by(source),
            MakeLinkError::Database(source) => source.into(),
            MakeLinkError::Failed(source) => Self::internal(source),
        }
    }
}

impl From<CancelPaymentError> for Problem {
    fn from(error: CancelPaymentError) -> Self {
        match error {
            CancelPaymentError::Mismatch => Code::AnotherOrder.into(),
            CancelPaymentError::Database(source) => source.into(),
        }
    }
}

impl From<ConfirmPaymentError> for Problem {
    fn from(error: ConfirmPaymentError) -> Self {
        match error {
            ConfirmPaymentError::Unknown => Code::UnknownPayment.into(),
            ConfirmPaymentError::Mismatch => Code::AnotherOrder.into(),
            ConfirmPaymentError::Database(source) => source.into(),
        }
    }
}

impl Refuses for ReceiveNotificationError {
    const CODES: Codes = &[&Code::WrongSignature, &Code::NotStored];
}

impl From<ReceiveNotificationError> for Problem {
    fn from(error: ReceiveNotificationError) -> Self {
        match error {
            ReceiveNotificationError::Forged => Code::WrongSignature.into(),
            // Midtrans sends it again often after a 503, and hardly after a 500.
            ReceiveNotificationError::Database(source) => Self::from(Code::NotStored).caused_by(source),
        }
    }
}

impl Refuses for RequestRefundError {
    const CODES: Codes = &[
        &Code::UnknownPayment,
        &Code::NotRefundable,
        &Code::CancelFirst,
        &Code::ReferenceUsed,
        &Code::IdempotencyKeyReused,
        &Code::OrderUnavailable,
    ];
}

impl From<RequestRefundError> for Problem {
    fn from(error: RequestRefundError) -> Self {
        match error {
            RequestRefundError::Unknown => Code::UnknownPayment.into(),
            RequestRefundError::NotRefundable(left) => {
                let detail = format!("At most {left} rupiah of this payment can go back now.");
                Self::new(Code::NotRefundable, detail).with("refundable", left)
            }
            RequestRefundError::CancelFirst => Code::CancelFirst.into(),
            RequestRefundError::ReferenceUsed => Code::ReferenceUsed.into(),
            RequestRefundError::AmountMissing => Self::invalid_field(
                "amount",
                "is needed: no refund waits to be made by hand whose amount it could be",
            ),
            RequestRefundError::KeyReused => Code::IdempotencyKeyReused.into(),
            RequestRefundError::Orders(source) => Self::from(Code::OrderUnavailable).caused_by(source),
            RequestRefundError::Database(source) => source.into(),
            bug @ (RequestRefundError::Reply(_) | RequestRefundError::NoReply) => Self::internal(bug),
        }
    }
}

impl Refuses for DecideReviewError {
    const CODES: Codes = &[
        &Code::UnknownPayment,
        &Code::NotInReview,
        &Code::OrderEnded,
        &Code::NotPaid,
        &Code::MidtransUnavailable,
    ];
}

impl From<DecideReviewError> for Problem {
    fn from(error: DecideReviewError) -> Self {
        match error {
            DecideReviewError::Unknown => Code::UnknownPayment.into(),
            DecideReviewError::NotInReview => Code::NotInReview.into(),
            DecideReviewError::OrderEnded => Code::OrderEnded.into(),
            DecideReviewError::NotPaid => Code::NotPaid.into(),
            DecideReviewError::Midtrans(source) => Self::from(Code::MidtransUnavailable).caused_by(source),
            DecideReviewError::Database(source) => source.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented() {
        let faults = testkit::undocumented::<crate::PaymentService>(
            Code::ALL,
            &[&Code::AnotherOrder, &Code::PaymentClosed],
        );
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
