//! Asks Midtrans about a payment without being notified. An open one is closed at its end, and a paid one watched for as
//! long as its money may be taken back: notifications are an optimisation.

use std::time::Duration;

use chassis::BoxError;
use jobs::{Job, Outcome};
use tokio::time::Instant;

use crate::{
    AppState,
    app::{JobError, closing::close_attempt::close_and_settle, settle::settle},
    domain::{Attempt, Finding, Poll, Status},
    store,
};

/// How soon a question is asked again that Midtrans did not answer about a payment which is paid.
const UNANSWERED: Duration = Duration::from_mins(5);

/// Asks about an attempt, by the id that it has at Midtrans, again and again until nothing can happen to it any more.
#[derive(Debug)]
pub struct PollPayment;

impl Job for PollPayment {
    const KIND: &'static str = "poll";
    type State = AppState;
    type Key = String;

    async fn run(state: &AppState, midtrans_order_id: String) -> Result<Outcome, BoxError> {
        let found = store::find_poll(&mut *state.db.acquire().await?, &midtrans_order_id).await?;
        let Some(poll) = found else { return Ok(Outcome::Done) };
        let asked_at = Instant::now();
        let answer = ask_about(state, &midtrans_order_id, &poll).await;
        if let Err(error) = &answer {
            let error = chassis::error_chain(error);
            tracing::warn!(midtrans_order_id, error, "Midtrans could not be asked about a payment");
        }
        let next = match answer {
            Ok((status, captured)) => {
                poll.after(status, asked_at.elapsed()).next(captured, state.config.watch())
            }
            Err(_) if poll.status.is_open() => poll.next(false, state.config.watch()),
            Err(_) => Some(UNANSWERED),
        };
        Ok(next.map_or(Outcome::Done, Outcome::Again))
    }
}

/// Where the payment stands afterwards, and whether it has yet to settle.
async fn ask_about(state: &AppState, id: &str, poll: &Poll) -> Result<(Status, bool), JobError> {
    let unchanged = (poll.status, false);
    if !poll.is_worth_asking() {
        return Ok(unchanged);
    }
    let Some(attempt) = find(state, id).await? else { return Ok(unchanged) };
    let over = poll.status.is_open() && poll.until_end.is_zero();
    let status = if over {
        close_and_settle(state, &attempt, Finding::TimedOut).await?
    } else {
        ask(state, &attempt).await?
    };
    let captured = find(state, id).await?.is_some_and(|attempt| attempt.captured);
    Ok((status.unwrap_or(poll.status), captured))
}

async fn find(state: &AppState, midtrans_order_id: &str) -> sqlx::Result<Option<Attempt>> {
    store::find_attempt(&mut *state.db.acquire().await?, midtrans_order_id).await
}

/// Applies what Midtrans says; `None` if it knows of nothing.
pub(in crate::app) async fn ask(state: &AppState, attempt: &Attempt) -> Result<Option<Status>, JobError> {
    match state.midtrans.observe(attempt).await? {
        Some(observation) => {
            let finding = Finding::Observed(Box::new(observation));
            Ok(settle(state, &attempt.midtrans_order_id, finding).await?)
        }
        None => Ok(None),
    }
}
