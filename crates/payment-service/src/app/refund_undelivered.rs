//! `DeliveryFailed`: the money goes back.

use contracts::events::{DeliveryFailed, RefundCause};
use messaging::{Envelope, Fail, Handle};
use sqlx::PgTransaction;

use crate::{
    App,
    domain::{Payment, Status, left_to_refund},
    store::{self, NewRefund},
};

impl Handle<DeliveryFailed> for App {
    type Prepared = ();

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        Envelope { event, .. }: Envelope<DeliveryFailed>,
        (): (),
    ) -> Result<(), Fail> {
        let payment = store::lock_payment(tx, event.order_id).await?;
        let payment = payment.ok_or_else(|| Fail::not_yet("the payment is not known"))?;
        match payment.status {
            Status::Success | Status::PartiallyRefunded => {
                Ok(refund_rest(tx, &payment, RefundCause::DeliveryFailed).await?)
            }
            Status::Pending | Status::Challenge | Status::Review => {
                Err(Fail::not_yet("the order is not paid"))
            }
            Status::Failed | Status::Cancelled | Status::Reversed | Status::Refunded => Ok(()),
        }
    }
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
        store::insert_refund(tx, &refund).await?;
    }
    Ok(())
}
