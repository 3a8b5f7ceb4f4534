//! Works off the stored notifications. Each is only a hint: Midtrans is asked, and its answer counts.

use futures::{StreamExt, stream};
use midtrans::TransactionStatus;

use super::{
    CONCURRENCY, JobError, LEASE, in_time,
    settle::{Finding, settle},
};
use crate::{
    AppState,
    domain::{Attempt, Observation, again_after},
    store::{self, Notification},
};

/// Works off what is due and returns how many notifications were.
///
/// # Errors
/// If the database does not answer.
pub async fn handle_notifications(state: &AppState) -> sqlx::Result<usize> {
    let notifications =
        store::claim_notifications(&mut *state.db.acquire().await?, CONCURRENCY, LEASE).await?;
    stream::iter(&notifications).for_each_concurrent(None, |notification| handle(state, notification)).await;
    Ok(notifications.len())
}

async fn handle(state: &AppState, notification: &Notification) {
    let Notification { midtrans_order_id, transaction_status, .. } = notification;
    let outcome = in_time(ask_midtrans(state, notification)).await;
    match &outcome {
        Ok(()) => tracing::info!(midtrans_order_id, transaction_status, "webhook notification handled"),
        Err(error) => {
            let error = chassis::error_chain(error);
            tracing::warn!(midtrans_order_id, transaction_status, error, "webhook notification has to wait");
        }
    }
    if let Err(error) = note(state, notification, outcome.is_ok()).await {
        let error = chassis::error_chain(&error);
        tracing::warn!(error, "a notification could not be marked as handled: it is repeated");
    }
}

async fn ask_midtrans(state: &AppState, notification: &Notification) -> Result<(), JobError> {
    let id = &notification.midtrans_order_id;
    let attempt = store::find_attempt(&mut *state.db.acquire().await?, id).await?;
    let Some(attempt) = attempt else {
        // Midtrans' test message, or a payment of another environment with the same account.
        tracing::info!(midtrans_order_id = id, "notification is about a payment that is not ours");
        return Ok(());
    };
    for observation in observe(state, &attempt, &notification.transaction_ids).await? {
        settle(state, id, Finding::Observed(&observation)).await?;
    }
    Ok(())
}

/// Asks by transaction, since some methods can only be asked about so, and since an order can have several. The end of one
/// says nothing while another is alive, so then the order is asked about as well.
async fn observe(
    state: &AppState,
    attempt: &Attempt,
    transaction_ids: &[String],
) -> Result<Vec<Observation>, JobError> {
    let mut found = Vec::new();
    for transaction_id in transaction_ids {
        found.extend(state.midtrans.observe_transaction(transaction_id).await?);
    }
    // Who it belongs to is decided where it is settled; what names another order needs not get that far.
    found.retain(|observation| {
        let Observation { transaction, .. } = observation;
        [&attempt.midtrans_order_id, &transaction.transaction_id].contains(&&transaction.order_id)
    });
    let (over, alive): (Vec<_>, Vec<_>) = found.into_iter().partition(is_over);
    if !alive.is_empty() {
        return Ok(alive);
    }
    Ok(state.midtrans.observe(attempt).await?.map_or(over, |newest| vec![newest]))
}

fn is_over(observation: &Observation) -> bool {
    use TransactionStatus::{Cancel, Deny, Expire, Failure};
    matches!(observation.transaction.transaction_status, Cancel | Deny | Expire | Failure)
}

async fn note(state: &AppState, notification: &Notification, done: bool) -> sqlx::Result<()> {
    let mut db = state.db.acquire().await?;
    if done {
        store::mark_notification_handled(&mut db, notification).await
    } else {
        store::retry_notification(&mut db, notification.id, again_after(notification.tries)).await
    }
}
