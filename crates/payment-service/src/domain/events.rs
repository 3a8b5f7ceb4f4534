//! What is published about a payment.

use contracts::events::{
    PaymentFailed, PaymentFailure, PaymentRefunded, PaymentReversed, PaymentSuccess, RefundCause,
    ReversalKind,
};

use super::Payment;

impl Payment {
    /// It is paid; nothing if that is not known of it.
    pub fn success_event(&self) -> Option<PaymentSuccess> {
        let paid = self.paid.as_ref()?;
        Some(PaymentSuccess {
            order_id: self.order_id,
            user_id: Some(self.user_id),
            total_amount: self.amount,
            amount: paid.amount,
            payment_type: paid.payment_type.clone(),
            paid_at: paid.at,
        })
    }

    /// The payment ended without money, and cannot be paid any more.
    pub fn failed_event(&self, reason: PaymentFailure) -> PaymentFailed {
        let (order_id, user_id, total_amount) = (self.order_id, Some(self.user_id), self.amount);
        PaymentFailed { order_id, user_id, total_amount, reason }
    }

    /// The money was taken back without our doing.
    pub fn reversed_event(&self, kind: ReversalKind) -> PaymentReversed {
        PaymentReversed {
            order_id: self.order_id,
            user_id: Some(self.user_id),
            total_amount: self.amount,
            kind,
            amount: self.paid_amount() - self.refunded_amount,
        }
    }

    /// A refund was made, and is part of what is known to be refunded.
    pub fn refunded_event(&self, cause: RefundCause, amount: i64, full: bool) -> PaymentRefunded {
        PaymentRefunded {
            order_id: self.order_id,
            user_id: Some(self.user_id),
            total_amount: self.amount,
            cause,
            amount,
            refunded_total: self.refunded_amount,
            full,
        }
    }

    /// A refund of nothing, for an order that waits for money which has gone already.
    pub fn nothing_left_event(&self) -> PaymentRefunded {
        self.refunded_event(RefundCause::DeliveryFailed, 0, true)
    }
}
