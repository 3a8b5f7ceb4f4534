//! Handles a stored notification. It is only a hint: Midtrans is asked, and its answer counts.

use chassis::BoxError;
use jobs::{Job, Outcome};
use midtrans::TransactionStatus;

use crate::{
    AppState,
    app::{JobError, settle::submit},
    domain::{Attempt, Finding, Observation, Settlement},
    store::{self, Notification},
};

/// Handles the notification of a row.
#[derive(Debug)]
pub struct HandleNotification;

impl Job for HandleNotification {
    const KIND: &'static str = "notification";
    const CONCURRENCY: u16 = 256;
    type State = AppState;
    type Key = i64;

    async fn run(state: &AppState, id: i64) -> Result<Outcome, BoxError> {
        let mut db = state.db.acquire().await?;
        let Some(notification) = store::find_notification(&mut db, id).await? else {
            return Ok(Outcome::Done);
        };
        let attempt = store::find_attempt(&mut db, &notification.midtrans_order_id).await?;
        drop(db);
        let observations = match &attempt {
            Some(attempt) => observe(state, attempt, &notification.transaction_ids).await?,
            None => Vec::new(),
        };
        let Notification { midtrans_order_id, transaction_status, .. } = notification;
        if attempt.is_none() {
            // Midtrans' test message, or a payment of another environment with the same account.
            tracing::info!(midtrans_order_id, "notification is about a payment that is not ours");
        }
        apply(state, id, &midtrans_order_id, observations).await?;
        tracing::info!(midtrans_order_id, transaction_status, "webhook notification handled");
        Ok(Outcome::Done)
    }
}

/// Applies what was observed; the notification is handled together with the last of it.
async fn apply(
    state: &AppState,
    id: i64,
    midtrans_order_id: &str,
    observations: Vec<Observation>,
) -> sqlx::Result<()> {
    let last = observations.len().checked_sub(1);
    if last.is_none() {
        return store::mark_notifications_handled(&mut *state.db.acquire().await?, &[id]).await;
    }
    for (place, observation) in observations.into_iter().enumerate() {
        let finding = Finding::Observed(Box::new(observation));
        let notification = (Some(place) == last).then_some(id);
        let midtrans_order_id = midtrans_order_id.to_owned();
        submit(state, Settlement { midtrans_order_id, finding, notification }).await?;
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
