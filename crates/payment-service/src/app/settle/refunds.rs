//! The effects that are about refunds. They are rare, and each reads what the one before has written.

use contracts::events::RefundCause;
use midtrans::Transaction;
use sqlx::{PgTransaction, Result};

use super::Case;
use crate::{
    app::refunds::{
        enqueue_refund::enqueue_refund,
        record_refund::{RefundMade, record_refund},
    },
    domain::{Booking, RefundEffect, bookings},
    store::{self, NewRefund},
};

pub(super) async fn apply(
    tx: &mut PgTransaction<'_>,
    case: &mut Case<'_>,
    effect: RefundEffect,
) -> Result<()> {
    // Without a transaction there is no money that it could be about.
    let Some(transaction) = case.transaction else { return Ok(()) };
    match effect {
        RefundEffect::RefundLate => refund_late(tx, case, transaction).await,
        RefundEffect::Record => record_refunds(tx, case, transaction).await,
        RefundEffect::Complete => complete_refunds(tx, case, transaction).await,
    }
}

/// Refunds everything that the transaction holds.
async fn refund_late(tx: &mut PgTransaction<'_>, case: &Case<'_>, transaction: &Transaction) -> Result<()> {
    let amount = transaction.charged_for_order() - transaction.refund_amount.unwrap_or_default();
    if amount > 0 {
        enqueue_refund(tx, &new_refund(case, transaction, RefundCause::Late, amount)).await?;
    }
    Ok(())
}

fn new_refund<'a>(
    case: &'a Case<'_>,
    transaction: &'a Transaction,
    why: RefundCause,
    amount: i64,
) -> NewRefund<'a> {
    NewRefund {
        order_id: case.payment.order_id,
        midtrans_order_id: &case.attempt.midtrans_order_id,
        transaction_id: &transaction.transaction_id,
        cause: why,
        amount,
        reason: None,
    }
}

/// Completes the refunds of a second payment.
async fn complete_refunds(
    tx: &mut PgTransaction<'_>,
    case: &Case<'_>,
    transaction: &Transaction,
) -> Result<()> {
    for booking in bookings(&case.refunds, transaction) {
        if let Booking::Ours(id) = booking {
            store::complete_refund(tx, id, None, None).await?;
        }
    }
    Ok(())
}

/// Records the refunds that an answer proves. Never more than was paid: what Midtrans says of a refund is not signed by
/// anybody, and the books have to balance whatever it says.
async fn record_refunds(
    tx: &mut PgTransaction<'_>,
    case: &mut Case<'_>,
    transaction: &Transaction,
) -> Result<()> {
    for booking in bookings(&case.refunds, transaction) {
        let made = match booking {
            Booking::Ours(id) => {
                store::complete_refund(tx, id, None, None).await?;
                let ours = case.refunds.iter().find(|refund| refund.id == id);
                ours.map(|refund| RefundMade { cause: refund.cause, amount: refund.amount })
            }
            Booking::Foreign { key, amount } => {
                let amount = amount.min(case.payment.paid_amount() - case.payment.refunded_amount);
                let foreign = new_refund(case, transaction, RefundCause::Admin, amount);
                let new = amount > 0 && store::insert_foreign_refund(tx, &foreign, &key).await?;
                new.then_some(RefundMade { cause: RefundCause::Admin, amount })
            }
        };
        if let Some(made) = made {
            record_refund(tx, &mut case.payment, made, case.cause).await?;
        }
    }
    Ok(())
}
