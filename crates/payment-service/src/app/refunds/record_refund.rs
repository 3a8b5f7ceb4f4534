//! Records a refund that was made, and publishes it.

use contracts::events::RefundCause;
use sqlx::PgTransaction;

use crate::{app::publish, domain::Payment, store};

/// A refund that Midtrans or a person has made.
#[derive(Debug, Clone, Copy)]
pub struct RefundMade {
    pub cause: RefundCause,
    /// What went back by it, in whole rupiah.
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
    let to = payment.status.after_refund(full);
    if payment.status != to {
        store::move_payment(tx, payment, to, because).await?;
        payment.status = to;
    }
    // Whichever refund comes last is the one that an order waits for whose goods could not be delivered.
    let cause = if full && payment.undelivered { RefundCause::DeliveryFailed } else { cause };
    publish(tx, payment, [payment.refunded_event(cause, amount, full)]).await
}
