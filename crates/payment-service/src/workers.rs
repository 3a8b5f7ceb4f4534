//! What goes on by itself. Every replica runs all of it: a job is claimed with a lease, and none by two at once.

use std::{convert::Infallible, time::Duration};

use chassis::Lifecycle;
use jobs::Worker;

use crate::{
    AppState,
    app::{HandleNotification, MakeRefund, PollPayment, VoidAttempt, maintenance},
};

/// How often what waits for people is counted.
const COUNT: Duration = Duration::from_secs(15);
/// How often old rows are looked for.
const PURGE: Duration = Duration::from_hours(1);
/// How often a key that Midtrans did not accept is tried again.
const CHECK: Duration = Duration::from_secs(10);

/// Starts the jobs and the maintenance.
pub fn start(state: &AppState, lifecycle: &Lifecycle) {
    Worker::new(state.db.clone(), state.jobs.clone(), state.clone())
        .with::<HandleNotification>()
        .with::<MakeRefund>()
        .with::<VoidAttempt>()
        .with::<PollPayment>()
        .start(lifecycle);
    lifecycle.every("gauges", COUNT, state, async move |state| {
        maintenance::count_waiting(&state).await.map(|()| 0)
    });
    lifecycle.every("purge", PURGE, state, async move |state| maintenance::purge(&state).await);
    lifecycle.every("server-key", CHECK, state, async move |state| {
        maintenance::check_key(&state).await;
        Ok::<_, Infallible>(0)
    });
}
