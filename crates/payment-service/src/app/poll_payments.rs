//! Asks Midtrans about open payments without being notified, and closes them at their end: a lost notification costs
//! seconds.

use std::time::Duration;

use futures::{StreamExt, stream};
use time::OffsetDateTime;

use super::{
    Trouble,
    close_attempt::{Closing, close_attempt},
    settle::settle,
};
use crate::{
    App,
    domain::{Attempt, Heard, Status, next_poll},
    store,
};

/// How many are taken at once, and how many of those asked about at the same time.
const BATCH: i64 = 16;
const AT_ONCE: usize = 8;
/// Longer than all calls of one take.
const LEASE: Duration = Duration::from_mins(3);

/// Works off what is due and says how many were taken.
///
/// # Errors
/// If the database does not answer.
pub async fn poll_payments(app: &App) -> sqlx::Result<usize> {
    let attempts = store::claim_polls(&mut *app.db.acquire().await?, BATCH, LEASE).await?;
    stream::iter(&attempts).for_each_concurrent(AT_ONCE, |attempt| poll(app, attempt)).await;
    Ok(attempts.len())
}

async fn poll(app: &App, attempt: &Attempt) {
    if let Err(error) = ask_and_plan(app, attempt).await {
        tracing::warn!(error = chassis::problem::chain(&error), "a poll could not be noted: it is repeated");
    }
}

async fn ask_and_plan(app: &App, attempt: &Attempt) -> sqlx::Result<()> {
    let payment = store::find_payment(&mut *app.db.acquire().await?, attempt.order_id).await?;
    let open = |status| matches!(status, Status::Pending | Status::Challenge);
    let Some(payment) = payment.filter(|payment| open(payment.status)) else {
        return store::update_attempt_polled(&mut *app.db.acquire().await?, &attempt.midtrans_order_id, None)
            .await;
    };
    let now = OffsetDateTime::now_utc();
    let end = payment.expires_at.unwrap_or(now);
    let status = match if now < end { ask(app, attempt).await } else { close(app, attempt).await } {
        Ok(status) => status,
        Err(trouble) => {
            let error = chassis::problem::chain(&trouble);
            tracing::warn!(order.id = %attempt.order_id, error, "Midtrans could not be asked about a payment");
            None
        }
    };
    let goes_on = status.is_none_or(open);
    let next = goes_on.then(|| next_poll(attempt.linked_at.unwrap_or(now), end, OffsetDateTime::now_utc()));
    store::update_attempt_polled(&mut *app.db.acquire().await?, &attempt.midtrans_order_id, next).await
}

/// Applies what Midtrans says; `None` if it knows of nothing.
pub(super) async fn ask(app: &App, attempt: &Attempt) -> Result<Option<Status>, Trouble> {
    match app.midtrans.look(attempt).await? {
        Some(transaction) => {
            Ok(settle(app, &attempt.midtrans_order_id, Heard::Transaction(&transaction)).await?)
        }
        None => Ok(None),
    }
}

async fn close(app: &App, attempt: &Attempt) -> Result<Option<Status>, Trouble> {
    let id = &attempt.midtrans_order_id;
    Ok(match close_attempt(app, attempt).await? {
        Closing::Closed => settle(app, id, Heard::TimedOut).await?,
        Closing::Stands(transaction) => settle(app, id, Heard::Transaction(&transaction)).await?,
    })
}
