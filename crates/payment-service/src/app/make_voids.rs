//! Closes at Midtrans what must not be paid any more.

use std::time::Duration;

use futures::{StreamExt, stream};

use super::{
    Trouble,
    close_attempt::{Closing, close_attempt},
    settle::settle,
};
use crate::{
    App,
    domain::{Heard, again_after},
    store::{self, Void},
};

/// How many are taken at once, and how many of those closed at the same time.
const BATCH: i64 = 16;
const AT_ONCE: usize = 8;
/// Longer than all calls of one take.
const LEASE: Duration = Duration::from_mins(3);

/// Works off what is due and says how many were taken.
///
/// # Errors
/// If the database does not answer.
pub async fn make_voids(app: &App) -> sqlx::Result<usize> {
    let voids = store::claim_voids(&mut *app.db.acquire().await?, BATCH, LEASE).await?;
    stream::iter(&voids).for_each_concurrent(AT_ONCE, |void| make(app, void)).await;
    Ok(voids.len())
}

async fn make(app: &App, void: &Void) {
    let outcome = close(app, &void.midtrans_order_id).await;
    if let Err(trouble) = &outcome {
        let error = chassis::problem::chain(trouble);
        tracing::warn!(midtrans_order_id = void.midtrans_order_id, error, "not closed yet");
    }
    if let Err(error) = note(app, void, outcome.is_ok()).await {
        tracing::warn!(error = chassis::problem::chain(&error), "a void could not be noted: it is repeated");
    }
}

async fn close(app: &App, midtrans_order_id: &str) -> Result<(), Trouble> {
    let attempt = store::find_attempt(&mut *app.db.acquire().await?, midtrans_order_id).await?;
    let Some(attempt) = attempt else { return Ok(()) };
    match close_attempt(app, &attempt).await? {
        Closing::Closed => settle(app, midtrans_order_id, Heard::Closed).await?,
        Closing::Stands(transaction) => {
            settle(app, midtrans_order_id, Heard::Transaction(&transaction)).await?
        }
    };
    Ok(())
}

async fn note(app: &App, void: &Void, done: bool) -> sqlx::Result<()> {
    let mut db = app.db.acquire().await?;
    if done {
        store::update_void_done(&mut db, &void.midtrans_order_id).await
    } else {
        store::update_void_again(&mut db, &void.midtrans_order_id, again_after(void.tries)).await
    }
}
