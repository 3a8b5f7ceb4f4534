//! `DeliveryFailed`: the goods could not be delivered, so all that is left of the money is refunded.

use contracts::events::{DeliveryFailed, RefundCause};
use messaging::{HandlerError, Outcomes, Received};
use sqlx::PgTransaction;

use crate::{
    app::{publish, refunds::enqueue_refund::enqueue_refund, require_same_order},
    domain::{Payment, Status, left_to_refund},
    store::{self, NewRefund},
};

/// Refunds the money of orders that could not be delivered, with the events. They are rare: each is refunded by itself, with
/// all payments locked before.
///
/// # Errors
/// If the database fails.
pub async fn refund_undelivered(
    tx: &mut PgTransaction<'_>,
    events: &[Received<DeliveryFailed>],
) -> Result<Outcomes, HandlerError> {
    let ids: Vec<i64> = events.iter().map(|received| received.event.order_id.get()).collect();
    let mut payments = store::lock_payments(tx, &ids).await?;
    let mut outcomes = Outcomes::new();
    for Received { event, .. } in events {
        let payment = payments.get_mut(&event.order_id);
        let decided = decide(payment.as_deref(), event);
        if let (Some(payment), Ok(Some(then))) = (payment, &decided) {
            store::mark_undelivered(tx, payment.order_id).await?;
            payment.undelivered = true;
            carry_out(tx, payment, *then).await?;
        }
        outcomes.push(decided.map(drop));
    }
    Ok(outcomes)
}

/// What is to be done for an order that could not be delivered.
#[derive(Clone, Copy)]
enum Then {
    Refund,
    /// Nothing is left to refund, whether we sent it back or the bank took it: the order waits for that to be published,
    /// once.
    PublishNothingLeft,
}

/// Decides what is to be done, if anything is.
fn decide(payment: Option<&Payment>, event: &DeliveryFailed) -> Result<Option<Then>, HandlerError> {
    let payment = payment.ok_or_else(|| HandlerError::not_yet("the payment is not known"))?;
    require_same_order(payment, event)?;
    match payment.status {
        Status::Success | Status::PartiallyRefunded => Ok(Some(Then::Refund)),
        Status::Refunded | Status::Reversed if !payment.undelivered => Ok(Some(Then::PublishNothingLeft)),
        Status::Pending | Status::Challenge | Status::Review => {
            Err(HandlerError::not_yet("the order is not paid"))
        }
        Status::Failed | Status::Cancelled | Status::Reversed | Status::Refunded => Ok(None),
    }
}

async fn carry_out(tx: &mut PgTransaction<'_>, payment: &Payment, then: Then) -> sqlx::Result<()> {
    match then {
        Then::Refund => refund_rest(tx, payment, RefundCause::DeliveryFailed).await,
        Then::PublishNothingLeft => publish(tx, payment, [payment.nothing_left_event()]).await,
    }
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
