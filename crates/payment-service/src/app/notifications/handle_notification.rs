//! Handles a stored notification. It is only a hint: Midtrans is asked, and its answer counts.

use std::collections::BTreeMap;

use chassis::{BoxError, group_commit::Commit};
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
        let hint = state.hints.submit(state, FindHint(id)).await.map_err(sqlx::Error::from)?;
        let Some(Hint { notification, attempt }) = hint else { return Ok(Outcome::Done) };
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

/// A notification, and the attempt that it is about, if it is ours.
#[derive(Debug)]
pub struct Hint {
    notification: Notification,
    attempt: Option<Attempt>,
}

/// Asks for the notification of a row. Those that are asked for at the same time are read together.
#[derive(Debug)]
pub struct FindHint(i64);

impl Commit for FindHint {
    type State = AppState;
    /// Nothing if the row was removed.
    type Reply = Option<Hint>;
    type Error = sqlx::Error;

    async fn commit(state: &AppState, group: &[Self]) -> sqlx::Result<Vec<Option<Hint>>> {
        let mut db = state.db.acquire().await?;
        let ids: Vec<i64> = group.iter().map(|Self(id)| *id).collect();
        let mut notifications = store::list_notifications(&mut db, &ids).await?;
        let about: Vec<&str> = notifications.values().map(|it| it.midtrans_order_id.as_str()).collect();
        let attempts = store::list_attempts_by_id(&mut db, &about).await?;
        let attempts: BTreeMap<String, Attempt> =
            attempts.into_iter().map(|attempt| (attempt.midtrans_order_id.clone(), attempt)).collect();
        let hints = ids.iter().map(|id| {
            let notification = notifications.remove(id)?;
            let attempt = attempts.get(&notification.midtrans_order_id).cloned();
            Some(Hint { notification, attempt })
        });
        Ok(hints.collect())
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
