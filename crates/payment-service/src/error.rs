//! What each failure of a use case means to the caller: the one place where that is decided.

use chassis::Problem;

use crate::app::{
    decide_review::ReviewError, make_link::MakeLinkError, receive_notification::ReceiveError,
    request_refund::RefundError,
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

impl From<ReceiveError> for Problem {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Forged => Self::new(
                axum::http::StatusCode::FORBIDDEN,
                "wrong_signature",
                "The signature is not that of a notification for this account.",
            ),
            // Midtrans sends it again often after a 503, and hardly after a 500.
            ReceiveError::Database(source) => {
                Self::unavailable("not_stored", "The notification could not be stored; send it again.")
                    .caused_by(source)
            }
        }
    }
}

impl From<RefundError> for Problem {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::Unknown => unknown_payment(),
            RefundError::NotRefundable(left) => Self::conflict(
                "not_refundable",
                format!("At most {left} rupiah of this payment can go back now."),
            )
            .with("refundable", left),
            RefundError::CancelFirst => Self::conflict(
                "cancel_first",
                "The goods have not left: cancel the order, and all of the money goes back by itself.",
            ),
            RefundError::KeyReused => Self::unprocessable(
                "idempotency_key_reused",
                "This Idempotency-Key was used for another request.",
            ),
            RefundError::Orders(source) => Self::unavailable(
                "order_unavailable",
                "order-service does not say whether the goods have left.",
            )
            .caused_by(source),
            RefundError::Database(source) => source.into(),
            RefundError::Reply(source) => Self::internal(source),
        }
    }
}

impl From<ReviewError> for Problem {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::Unknown => unknown_payment(),
            ReviewError::NotInReview => {
                Self::conflict("not_in_review", "There is nothing to decide about this payment.")
            }
            ReviewError::OrderEnded => Self::conflict(
                "order_ended",
                "The order has ended meanwhile: its money can only be refunded.",
            ),
            ReviewError::Database(source) => source.into(),
        }
    }
}
