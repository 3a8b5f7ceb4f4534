//! `OrderCancelled`: an open payment is closed, and a paid one refunded.

use std::collections::BTreeSet;

use contracts::events::{CancelCause, OrderCancelled, RefundCause};
use jobs::{Job, Queue};
use messaging::{HandlerError, Outcomes, Received};
use sqlx::PgTransaction;

use crate::{
    app::{VoidAttempt, refunds::refund_undelivered::refund_rest, require_same_order},
    domain::{Payment, Status},
    store::{self, NewTombstone},
};

/// Ends the payments of orders that have ended, with the events.
///
/// # Errors
/// If one of the payments was opened at this moment, or the database fails.
pub async fn end_orders(
    tx: &mut PgTransaction<'_>,
    events: &[Received<OrderCancelled>],
) -> Result<Outcomes, HandlerError> {
    let ids: Vec<i64> = events.iter().map(|received| received.event.order_id.get()).collect();
    let payments = store::lock_payments(tx, &ids).await?;
    let (mut outcomes, mut seen) = (Outcomes::new(), BTreeSet::new());
    let (mut tombstones, mut ended) = (Vec::new(), Vec::new());
    for Received { event, trace, .. } in events {
        let (order_id, user_id) = (event.order_id, event.user_id);
        let payment = payments.get(&order_id);
        let outcome = payment.map_or(Ok(()), |payment| require_same_order(payment, event));
        if outcome.is_ok() && seen.insert(order_id) {
            match payment {
                Some(payment) => ended.push((payment, event.cause)),
                None => tombstones.push(NewTombstone { order_id, user_id, trace }),
            }
        }
        outcomes.push(outcome);
    }
    if !store::insert_tombstones(tx, &tombstones).await? {
        return Err(HandlerError::retry("a payment was opened at this very moment"));
    }
    let ids: Vec<i64> = ended.iter().map(|(payment, _)| payment.order_id.get()).collect();
    store::mark_orders_ended(tx, &ids).await?;
    for (payment, cause) in ended {
        end(tx, payment, cause).await?;
    }
    Ok(outcomes)
}

async fn end(tx: &mut PgTransaction<'_>, payment: &Payment, cause: CancelCause) -> sqlx::Result<()> {
    match payment.status {
        Status::Pending | Status::Challenge => close(tx, payment).await,
        // An administrator cancels what is paid; whoever else ended the order did so before the money came.
        Status::Success | Status::PartiallyRefunded => {
            let by_admin = cause == CancelCause::Admin;
            let cause = if by_admin { RefundCause::Cancelled } else { RefundCause::Late };
            refund_rest(tx, payment, cause).await
        }
        Status::Failed | Status::Cancelled | Status::Review | Status::Reversed | Status::Refunded => Ok(()),
    }
}

/// Closes what has no page at once; the others only Midtrans can close. A page that is being made at this moment is
/// closed by whoever makes it.
async fn close(tx: &mut PgTransaction<'_>, payment: &Payment) -> sqlx::Result<()> {
    let mut pages = store::list_attempts(tx, payment.order_id).await?;
    pages.retain(|attempt| attempt.token.is_some());
    if pages.is_empty() {
        store::move_payment(tx, payment, Status::Cancelled, "order_cancelled").await?;
    }
    Queue::enqueue(tx, pages.iter().map(|page| VoidAttempt::of(&page.midtrans_order_id).now())).await
}
