//! `DeliveryFailed`: the money goes back.

use contracts::events::{DeliveryFailed, RefundCause};
use messaging::HandlerError;
use sqlx::PgTransaction;

use super::{make_refund::enqueue_refund, require_same_order, settle::publish_nothing_left};
use crate::{
    domain::{Payment, Status, left_to_refund},
    store::{self, NewRefund},
};

/// Gives the money of an order back that could not be delivered, with the event.
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
            store::update_undelivered(tx, event.order_id).await?;
            refund_rest(tx, &payment, RefundCause::DeliveryFailed).await?;
        }
        // Nothing is left to refund, whether we sent it back or the bank took it: the order waits to learn that, once.
        Status::Refunded | Status::Reversed if !payment.undelivered => {
            store::update_undelivered(tx, event.order_id).await?;
            publish_nothing_left(tx, &payment).await?;
        }
        Status::Pending | Status::Challenge | Status::Review => {
            return Err(HandlerError::not_yet("the order is not paid"));
        }
        Status::Failed | Status::Cancelled | Status::Reversed | Status::Refunded => {}
    }
    Ok(())
}

/// Writes a refund of all that has not gone back and is not on its way.
pub(super) async fn refund_rest(
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
