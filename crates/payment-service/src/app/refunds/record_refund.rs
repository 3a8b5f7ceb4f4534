//! Records a refund that was made, and publishes it.

use contracts::events::{PaymentRefunded, RefundCause};
use sqlx::PgTransaction;

use crate::{app::publish, domain::Payment, store};

/// A refund that was made.
#[derive(Debug, Clone, Copy)]
pub struct RefundMade {
    /// Why.
    pub cause: RefundCause,
    /// How much, in rupiah.
    pub amount: i64,
}

/// Adds a refund of the transaction that paid to what went back, and publishes `PaymentRefunded` once for it.
pub async fn record_refund(
    tx: &mut PgTransaction<'_>,
    payment: &mut Payment,
    RefundMade { cause, amount }: RefundMade,
    because: &str,
) -> sqlx::Result<()> {
    payment.refunded_amount += amount;
    let full = payment.refunded_amount >= payment.paid_amount();
    store::record_refunded_amount(tx, payment.order_id, payment.refunded_amount).await?;
    let (from, to) = (payment.status, payment.status.after_refund(full));
    if from != to {
        store::move_payment(tx, payment.order_id, from, to, because).await?;
        payment.status = to;
    }
    // Whichever refund comes last is the one that an order waits for whose goods could not be delivered.
    let cause = if full && payment.undelivered { RefundCause::DeliveryFailed } else { cause };
    let refunded_total = payment.refunded_amount;
    let event = PaymentRefunded {
        order_id: payment.order_id,
        user_id: Some(payment.user_id),
        total_amount: payment.amount,
        cause,
        amount,
        refunded_total,
        full,
    };
    publish(tx, payment, event).await
}
