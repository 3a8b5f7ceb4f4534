//! Asks Midtrans about payments without being notified. Open ones are closed at their end, and paid ones watched for as long
//! as their money may be taken back: notifications are an optimisation.

use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::time::Instant;

use super::{
    CONCURRENCY, JobError, LEASE,
    close_attempt::{Closing, close_attempt},
    in_time,
    settle::{Finding, settle},
};
use crate::{
    AppState,
    domain::{Attempt, Poll, Status},
    store,
};

/// How soon a question is asked again that Midtrans did not answer about a payment which is paid.
const UNANSWERED: Duration = Duration::from_mins(5);

/// Asks about what is due and returns how many attempts were.
///
/// # Errors
/// If the database does not answer.
pub async fn poll_payments(state: &AppState) -> sqlx::Result<usize> {
    let polls = store::claim_polls(&mut *state.db.acquire().await?, CONCURRENCY, LEASE).await?;
    let taken = polls.len();
    stream::iter(polls).for_each_concurrent(None, |poll| ask_and_schedule(state, poll)).await;
    Ok(taken)
}

async fn ask_and_schedule(state: &AppState, poll: Poll) {
    let (asked_at, id) = (Instant::now(), poll.midtrans_order_id.clone());
    let answer = in_time(ask_about(state, &poll)).await;
    if let Err(error) = &answer {
        let error = chassis::error_chain(error);
        tracing::warn!(midtrans_order_id = id, error, "Midtrans could not be asked about a payment");
    }
    let next = match answer {
        Ok((status, captured)) => poll.after(status, asked_at.elapsed()).next(captured, state.config.watch()),
        Err(_) if poll.status.is_open() => poll.next(false, state.config.watch()),
        Err(_) => Some(UNANSWERED),
    };
    let scheduled = async { store::schedule_poll(&mut *state.db.acquire().await?, &id, next).await };
    if let Err(error) = scheduled.await {
        let error = chassis::error_chain(&error);
        tracing::warn!(midtrans_order_id = id, error, "a poll could not be scheduled: it is repeated");
    }
}

/// Where the payment stands afterwards, and whether it has yet to settle.
async fn ask_about(state: &AppState, poll: &Poll) -> Result<(Status, bool), JobError> {
    let unchanged = (poll.status, false);
    if !poll.is_worth_asking() {
        return Ok(unchanged);
    }
    let Some(attempt) = find(state, &poll.midtrans_order_id).await? else { return Ok(unchanged) };
    let over = poll.status.is_open() && poll.until_end.is_zero();
    let status = if over { close(state, &attempt).await? } else { ask(state, &attempt).await? };
    let captured = find(state, &poll.midtrans_order_id).await?.is_some_and(|attempt| attempt.captured);
    Ok((status.unwrap_or(poll.status), captured))
}

async fn find(state: &AppState, midtrans_order_id: &str) -> sqlx::Result<Option<Attempt>> {
    store::find_attempt(&mut *state.db.acquire().await?, midtrans_order_id).await
}

/// Applies what Midtrans says; `None` if it knows of nothing.
pub(super) async fn ask(state: &AppState, attempt: &Attempt) -> Result<Option<Status>, JobError> {
    match state.midtrans.observe(attempt).await? {
        Some(observation) => {
            Ok(settle(state, &attempt.midtrans_order_id, Finding::Observed(&observation)).await?)
        }
        None => Ok(None),
    }
}

async fn close(state: &AppState, attempt: &Attempt) -> Result<Option<Status>, JobError> {
    let id = &attempt.midtrans_order_id;
    Ok(match close_attempt(state, attempt).await? {
        Closing::Closed => settle(state, id, Finding::TimedOut).await?,
        Closing::StillOpen(observation) => settle(state, id, Finding::Observed(&observation)).await?,
    })
}
