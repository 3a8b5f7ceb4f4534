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
    App,
    domain::{Attempt, Poll, Status},
    store,
};

/// How soon a question is asked again that Midtrans did not answer about a payment which is paid.
const UNANSWERED: Duration = Duration::from_mins(5);

/// Asks about what is due and returns how many attempts were.
///
/// # Errors
/// If the database does not answer.
pub async fn poll_payments(app: &App) -> sqlx::Result<usize> {
    let polls = store::claim_polls(&mut *app.db.acquire().await?, CONCURRENCY, LEASE).await?;
    let taken = polls.len();
    stream::iter(polls).for_each_concurrent(None, |poll| ask_and_schedule(app, poll)).await;
    Ok(taken)
}

async fn ask_and_schedule(app: &App, poll: Poll) {
    let (asked_at, id) = (Instant::now(), poll.midtrans_order_id.clone());
    let answer = in_time(ask_about(app, &poll)).await;
    if let Err(error) = &answer {
        let error = chassis::problem::chain(error);
        tracing::warn!(midtrans_order_id = id, error, "Midtrans could not be asked about a payment");
    }
    let next = match answer {
        Ok((status, captured)) => poll.after(status, asked_at.elapsed()).next(captured, app.config.watch()),
        Err(_) if poll.status.is_open() => poll.next(false, app.config.watch()),
        Err(_) => Some(UNANSWERED),
    };
    let scheduled = async { store::schedule_poll(&mut *app.db.acquire().await?, &id, next).await };
    if let Err(error) = scheduled.await {
        let error = chassis::problem::chain(&error);
        tracing::warn!(midtrans_order_id = id, error, "a poll could not be scheduled: it is repeated");
    }
}

/// Where the payment stands afterwards, and whether it has yet to settle.
async fn ask_about(app: &App, poll: &Poll) -> Result<(Status, bool), JobError> {
    let unchanged = (poll.status, false);
    if !poll.is_worth_asking() {
        return Ok(unchanged);
    }
    let Some(attempt) = find(app, &poll.midtrans_order_id).await? else { return Ok(unchanged) };
    let over = poll.status.is_open() && poll.until_end.is_zero();
    let status = if over { close(app, &attempt).await? } else { ask(app, &attempt).await? };
    let captured = find(app, &poll.midtrans_order_id).await?.is_some_and(|attempt| attempt.captured);
    Ok((status.unwrap_or(poll.status), captured))
}

async fn find(app: &App, midtrans_order_id: &str) -> sqlx::Result<Option<Attempt>> {
    store::find_attempt(&mut *app.db.acquire().await?, midtrans_order_id).await
}

/// Applies what Midtrans says; `None` if it knows of nothing.
pub(super) async fn ask(app: &App, attempt: &Attempt) -> Result<Option<Status>, JobError> {
    match app.midtrans.observe(attempt).await? {
        Some(observation) => {
            Ok(settle(app, &attempt.midtrans_order_id, Finding::Observed(&observation)).await?)
        }
        None => Ok(None),
    }
}

async fn close(app: &App, attempt: &Attempt) -> Result<Option<Status>, JobError> {
    let id = &attempt.midtrans_order_id;
    Ok(match close_attempt(app, attempt).await? {
        Closing::Closed => settle(app, id, Finding::TimedOut).await?,
        Closing::StillOpen(observation) => settle(app, id, Finding::Observed(&observation)).await?,
    })
}
