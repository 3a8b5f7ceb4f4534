//! `OrderCancelled`: an open payment is closed, and a paid one refunded.

use chassis::context;
use contracts::events::{CancelCause, OrderCancelled, RefundCause};
use jobs::{Job, Queue};
use messaging::HandlerError;
use sqlx::PgTransaction;

use crate::{
    app::{VoidAttempt, refunds::refund_undelivered::refund_rest, require_same_order},
    domain::{Payment, Status},
    store,
};

/// Ends the payment of an order that has ended, with the event.
///
/// # Errors
/// If the payment was opened at this moment, or the database fails.
pub async fn end_order(tx: &mut PgTransaction<'_>, event: &OrderCancelled) -> Result<(), HandlerError> {
    let Some(payment) = store::lock_payment(tx, event.order_id).await? else {
        if store::insert_tombstone(tx, event.order_id, event.user_id, &context::current()).await? {
            return Ok(());
        }
        return Err(HandlerError::retry("the payment was opened at this very moment"));
    };
    require_same_order(&payment, event)?;
    store::mark_order_ended(tx, event.order_id).await?;
    match payment.status {
        Status::Pending | Status::Challenge => close(tx, &payment).await?,
        // An administrator cancels what is paid; whoever else ended the order did so before the money came.
        Status::Success | Status::PartiallyRefunded => {
            let by_admin = event.cause == CancelCause::Admin;
            refund_rest(tx, &payment, if by_admin { RefundCause::Cancelled } else { RefundCause::Late })
                .await?;
        }
        Status::Failed | Status::Cancelled | Status::Review | Status::Reversed | Status::Refunded => {}
    }
    Ok(())
}

/// Closes what has no page at once; the others only Midtrans can close. A page that is being made at this moment is
/// closed by whoever makes it.
async fn close(tx: &mut PgTransaction<'_>, payment: &Payment) -> sqlx::Result<()> {
    let mut pages = store::list_attempts(tx, payment.order_id).await?;
    pages.retain(|attempt| attempt.token.is_some());
    if pages.is_empty() {
        let (from, to) = (payment.status, Status::Cancelled);
        store::move_payment(tx, payment.order_id, from, to, "order_cancelled").await?;
    }
    for page in pages {
        Queue::enqueue(tx, [VoidAttempt::of(&page.midtrans_order_id).now()]).await?;
    }
    Ok(())
}
