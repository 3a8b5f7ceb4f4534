//! What is done without a request: jobs, and maintenance at intervals.

use std::time::Duration;

use jobs::{Queue, Worker};

use crate::{
    AppState,
    app::{
        ClosePayment, ReconcilePaid, ReconcileReceived, ReconcileUnpaid, ReturnStock, StopDelivery, TimeOut,
        skip_taken_numbers,
    },
    store,
};

/// How often it is made sure that no number is given out twice, as after a restore under a running process.
const NUMBERS: Duration = Duration::from_secs(10);
/// How often old keys are purged.
const PURGE: Duration = Duration::from_mins(10);

/// Runs the jobs of this service. They are enqueued for later, so that nothing has to wake it.
pub fn job_worker(state: &AppState) -> Worker<AppState> {
    Worker::new(state.db.clone(), Queue::default(), state.clone())
        .with::<ReconcileReceived>()
        .with::<TimeOut>()
        .with::<ReconcileUnpaid>()
        .with::<ReconcilePaid>()
        .with::<ClosePayment>()
        .with::<StopDelivery>()
        .with::<ReturnStock>()
}

pub fn start(state: &AppState) {
    job_worker(state).start(&state.lifecycle);
    let every = &state.lifecycle;
    every.every("order-numbers", NUMBERS, state, async move |state| {
        skip_taken_numbers(&state).await.map(|()| 0)
    });
    every.every("idempotency-keys", PURGE, state, async move |state| purge_old_keys(&state).await);
}

/// Deletes keys that are older than a day. Returns how many.
pub async fn purge_old_keys(state: &AppState) -> sqlx::Result<usize> {
    let mut db = state.db.acquire().await?;
    let deleted = store::idempotency::purge_old_keys(&mut db).await?;
    Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
}
