//! What each failure of a use case means to the caller: the one place where that is decided.

use chassis::Problem;

use crate::app::{
    CancelPaymentError, ConfirmPaymentError, DecideReviewError, MakeLinkError, ReceiveNotificationError,
    RequestRefundError,
};

/// 404 for an order that has no payment, or one of somebody else's.
pub fn unknown_payment() -> Problem {
    Problem::not_found("The order has no payment.")
}

impl From<MakeLinkError> for Problem {
    fn from(error: MakeLinkError) -> Self {
        let detail = "Midtrans does not make payment pages at the moment; try again soon.";
        match error {
            MakeLinkError::Unknown => unknown_payment(),
            MakeLinkError::Mismatch => Self::invalid_field("amount", "the order has another amount or buyer"),
            MakeLinkError::Closed => Self::conflict("payment_closed", "The payment has ended."),
            MakeLinkError::Busy => {
                Self::unavailable("midtrans_unavailable", "The payment page is being made.")
            }
            MakeLinkError::Midtrans(source) => {
                Self::unavailable("midtrans_unavailable", detail).caused_by(source)
            }
            MakeLinkError::Database(source) => source.into(),
            MakeLinkError::Failed(source) => Self::internal(source),
        }
    }
}

/// 409, `FAILED_PRECONDITION` over gRPC: the caller means another order that had the same number.
fn another_order() -> Problem {
    Problem::conflict("another_order", "The payment is for another order, of another buyer.")
}

impl From<CancelPaymentError> for Problem {
    fn from(error: CancelPaymentError) -> Self {
        match error {
            CancelPaymentError::Mismatch => another_order(),
            CancelPaymentError::Database(source) => source.into(),
        }
    }
}

impl From<ConfirmPaymentError> for Problem {
    fn from(error: ConfirmPaymentError) -> Self {
        match error {
            ConfirmPaymentError::Unknown => unknown_payment(),
            ConfirmPaymentError::Mismatch => another_order(),
            ConfirmPaymentError::Database(source) => source.into(),
        }
    }
}

impl From<ReceiveNotificationError> for Problem {
    fn from(error: ReceiveNotificationError) -> Self {
        match error {
            ReceiveNotificationError::Forged => Self::new(
                axum::http::StatusCode::FORBIDDEN,
                "wrong_signature",
                "The signature is not that of a notification for this account.",
            ),
            // Midtrans sends it again often after a 503, and hardly after a 500.
            ReceiveNotificationError::Database(source) => {
                Self::unavailable("not_stored", "The notification could not be stored; send it again.")
                    .caused_by(source)
            }
        }
    }
}

impl From<RequestRefundError> for Problem {
    fn from(error: RequestRefundError) -> Self {
        match error {
            RequestRefundError::Unknown => unknown_payment(),
            RequestRefundError::NotRefundable(left) => Self::conflict(
                "not_refundable",
                format!("At most {left} rupiah of this payment can go back now."),
            )
            .with("refundable", left),
            RequestRefundError::CancelFirst => Self::conflict(
                "cancel_first",
                "The goods have not left: cancel the order, and all of the money goes back by itself.",
            ),
            RequestRefundError::ReferenceUsed => Self::conflict(
                "reference_used",
                "A refund of this payment has this reference already: it was entered before.",
            ),
            RequestRefundError::AmountMissing => Self::invalid_field(
                "amount",
                "is needed: no refund waits to be made by hand whose amount it could be",
            ),
            RequestRefundError::KeyReused => Self::unprocessable(
                "idempotency_key_reused",
                "This Idempotency-Key was used for another request.",
            ),
            RequestRefundError::Orders(source) => Self::unavailable(
                "order_unavailable",
                "order-service does not say whether the goods have left.",
            )
            .caused_by(source),
            RequestRefundError::Database(source) => source.into(),
            RequestRefundError::Reply(source) => Self::internal(source),
        }
    }
}

impl From<DecideReviewError> for Problem {
    fn from(error: DecideReviewError) -> Self {
        match error {
            DecideReviewError::Unknown => unknown_payment(),
            DecideReviewError::NotInReview => {
                Self::conflict("not_in_review", "There is nothing to decide about this payment.")
            }
            DecideReviewError::OrderEnded => Self::conflict(
                "order_ended",
                "The order has ended meanwhile: its money can only be refunded.",
            ),
            DecideReviewError::NotPaid => Self::conflict(
                "not_paid",
                "Midtrans holds the money no more: it went back already. Refund it, to close the review.",
            ),
            DecideReviewError::Midtrans(source) => Self::unavailable(
                "midtrans_unavailable",
                "Midtrans does not say whether the money is still there.",
            )
            .caused_by(source),
            DecideReviewError::Database(source) => source.into(),
        }
    }
}
