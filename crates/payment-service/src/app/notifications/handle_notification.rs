//! Handles a stored notification. It is only a hint: Midtrans is asked, and its answer counts.

use chassis::BoxError;
use jobs::{Job, Outcome};
use midtrans::TransactionStatus;

use crate::{
    AppState,
    app::{
        JobError,
        settle::{Finding, settle},
    },
    domain::{Attempt, Observation},
    store::{self, Notification},
};

/// Handles the notification of a row.
#[derive(Debug)]
pub struct HandleNotification;

impl Job for HandleNotification {
    const KIND: &'static str = "notification";
    type State = AppState;
    type Key = i64;

    async fn run(state: &AppState, id: i64) -> Result<Outcome, BoxError> {
        let found = store::find_notification(&mut *state.db.acquire().await?, id).await?;
        let Some(notification) = found else { return Ok(Outcome::Done) };
        ask_midtrans(state, &notification).await?;
        store::mark_notification_handled(&mut *state.db.acquire().await?, id).await?;
        let Notification { midtrans_order_id, transaction_status, .. } = notification;
        tracing::info!(midtrans_order_id, transaction_status, "webhook notification handled");
        Ok(Outcome::Done)
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
