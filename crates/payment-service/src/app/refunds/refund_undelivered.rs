//! `DeliveryFailed`: the money is refunded.

use contracts::events::{DeliveryFailed, RefundCause};
use messaging::HandlerError;
use sqlx::PgTransaction;

use crate::{
    app::{refunds::make_refund::enqueue_refund, require_same_order, settle::publish_nothing_left},
    domain::{Payment, Status, left_to_refund},
    store::{self, NewRefund},
};

/// Refunds the money of an order that could not be delivered, with the event.
///
/// # Errors
/// If the payment is not yet known or made, or the database fails.
pub async fn refund_undelivered(
    tx: &mut PgTransaction<'_>,
    event: &DeliveryFailed,
) -> Result<(), HandlerError> {
    let payment = store::lock_payment(tx, event.order_id).await?;
    let payment = payment.ok_or_else(|| HandlerError::not_yet("the payment is not known"))?;
    require_same_order(&payment, event)?;
    match payment.status {
        Status::Success | Status::PartiallyRefunded => {
            store::mark_undelivered(tx, event.order_id).await?;
            refund_rest(tx, &payment, RefundCause::DeliveryFailed).await?;
        }
        // Nothing is left to refund, whether we sent it back or the bank took it: the order waits for that to be published, once.
        Status::Refunded | Status::Reversed if !payment.undelivered => {
            store::mark_undelivered(tx, event.order_id).await?;
            publish_nothing_left(tx, &payment).await?;
        }
        Status::Pending | Status::Challenge | Status::Review => {
            return Err(HandlerError::not_yet("the order is not paid"));
        }
        Status::Failed | Status::Cancelled | Status::Reversed | Status::Refunded => {}
    }
    Ok(())
}

/// Enqueues a refund of all that is neither refunded nor on its way.
pub(in crate::app) async fn refund_rest(
    tx: &mut PgTransaction<'_>,
    payment: &Payment,
    cause: RefundCause,
) -> sqlx::Result<()> {
    let Some(paid) = &payment.paid else { return Ok(()) };
    let refunds = store::list_refunds(tx, payment.order_id).await?;
    let amount = left_to_refund(paid.amount, &refunds, &paid.transaction_id);
    if amount > 0 {
        let refund = NewRefund {
            order_id: payment.order_id,
            midtrans_order_id: &paid.midtrans_order_id,
            transaction_id: &paid.transaction_id,
            cause,
            amount,
            reason: None,
        };
        enqueue_refund(tx, &refund).await?;
    }
    Ok(())
}
