//! Works off the stored notifications. Each is only a hint: Midtrans is asked, and its answer counts.

use std::time::Duration;

use futures::{StreamExt, stream};
use midtrans::{Transaction, TransactionStatus};

use super::{Trouble, settle::settle};
use crate::{
    App,
    domain::{Attempt, Heard, again_after},
    store::{self, Notification},
};

/// How many are taken at once, and how many of those handled at the same time.
const BATCH: i64 = 16;
const AT_ONCE: usize = 8;
/// Longer than all calls of one take.
const LEASE: Duration = Duration::from_mins(3);

/// Works off what is due and says how many were taken.
///
/// # Errors
/// If the database does not answer.
pub async fn handle_notifications(app: &App) -> sqlx::Result<usize> {
    let notifications = store::claim_notifications(&mut *app.db.acquire().await?, BATCH, LEASE).await?;
    stream::iter(&notifications).for_each_concurrent(AT_ONCE, |notification| handle(app, notification)).await;
    Ok(notifications.len())
}

async fn handle(app: &App, notification: &Notification) {
    let outcome = believe_midtrans(app, notification).await;
    if let Err(trouble) = &outcome {
        let error = chassis::problem::chain(trouble);
        tracing::warn!(midtrans_order_id = notification.midtrans_order_id, error, "a notification waits");
    }
    if let Err(error) = note(app, notification, outcome.is_ok()).await {
        tracing::warn!(
            error = chassis::problem::chain(&error),
            "a notification could not be noted: it is repeated"
        );
    }
}

async fn believe_midtrans(app: &App, notification: &Notification) -> Result<(), Trouble> {
    let attempt = store::find_attempt(&mut *app.db.acquire().await?, &notification.midtrans_order_id).await?;
    let Some(attempt) = attempt else {
        // Midtrans' test message, or a payment of another environment with the same account.
        tracing::info!(
            midtrans_order_id = notification.midtrans_order_id,
            "notified of a payment that is not ours"
        );
        return Ok(());
    };
    if let Some(transaction) = ask(app, &attempt, &notification.transaction_id).await? {
        settle(app, &attempt.midtrans_order_id, Heard::Transaction(&transaction)).await?;
    }
    Ok(())
}

/// Asks by transaction, since some banks can only be asked so, and since an order can have several. The end of one says
/// nothing if another is alive, so then the order is asked about as well. The transaction in a notification is not
/// signed: one of another order does not count.
async fn ask(app: &App, attempt: &Attempt, transaction_id: &str) -> Result<Option<Transaction>, Trouble> {
    let named = app.midtrans.status(transaction_id).await?;
    let named = named.filter(|transaction| transaction.order_id == attempt.midtrans_order_id);
    match named {
        Some(transaction) if !is_over(&transaction) => Ok(Some(transaction)),
        named => Ok(app.midtrans.look(attempt).await?.or(named)),
    }
}

fn is_over(transaction: &Transaction) -> bool {
    use TransactionStatus::{Cancel, Deny, Expire, Failure};
    matches!(transaction.transaction_status, Cancel | Deny | Expire | Failure)
}

async fn note(app: &App, notification: &Notification, done: bool) -> sqlx::Result<()> {
    let mut db = app.db.acquire().await?;
    if done {
        store::update_notification_handled(&mut db, notification.id).await
    } else {
        store::update_notification_again(&mut db, notification.id, again_after(notification.tries)).await
    }
}
