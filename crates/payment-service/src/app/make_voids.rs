//! Closes at Midtrans what must not be paid any more.

use futures::{StreamExt, stream};

use super::{
    CONCURRENCY, JobError, LEASE,
    close_attempt::{Closing, close_attempt},
    in_time,
    settle::{Finding, settle},
};
use crate::{
    AppState,
    domain::again_after,
    store::{self, Void},
};

/// Closes what is due and returns how many attempts were.
///
/// # Errors
/// If the database does not answer.
pub async fn make_voids(state: &AppState) -> sqlx::Result<usize> {
    let voids = store::claim_voids(&mut *state.db.acquire().await?, CONCURRENCY, LEASE).await?;
    stream::iter(&voids).for_each_concurrent(None, |void| make(state, void)).await;
    Ok(voids.len())
}

async fn make(state: &AppState, void: &Void) {
    let outcome = in_time(close(state, &void.midtrans_order_id)).await;
    if let Err(error) = &outcome {
        let error = chassis::error_chain(error);
        tracing::warn!(midtrans_order_id = void.midtrans_order_id, error, "attempt is not closed yet");
    }
    if let Err(error) = note(state, void, outcome.is_ok()).await {
        tracing::warn!(error = chassis::error_chain(&error), "a void could not be noted: it is repeated");
    }
}

async fn close(state: &AppState, midtrans_order_id: &str) -> Result<(), JobError> {
    let attempt = store::find_attempt(&mut *state.db.acquire().await?, midtrans_order_id).await?;
    let Some(attempt) = attempt else { return Ok(()) };
    match close_attempt(state, &attempt).await? {
        Closing::Closed => settle(state, midtrans_order_id, Finding::Closed).await?,
        Closing::StillOpen(observation) => {
            settle(state, midtrans_order_id, Finding::Observed(&observation)).await?
        }
    };
    Ok(())
}

async fn note(state: &AppState, void: &Void, done: bool) -> sqlx::Result<()> {
    let mut db = state.db.acquire().await?;
    if done {
        store::update_void_done(&mut db, &void.midtrans_order_id).await
    } else {
        store::update_void_again(&mut db, &void.midtrans_order_id, again_after(void.tries)).await
    }
}
