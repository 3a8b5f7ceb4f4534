//! What goes on by itself. Every replica runs all of it: a job is claimed with a lease, and none by two at once.

use std::time::Duration;

use chassis::Lifecycle;
use jobs::Worker;

use crate::{AppState, app};

/// How often what waits is counted.
const COUNT: Duration = Duration::from_secs(15);
/// How often old rows are looked for.
const PURGE: Duration = Duration::from_hours(1);

/// Sends notifications, and e-mails about accounts.
pub fn worker(state: &AppState) -> Worker<AppState> {
    Worker::new(state.db.clone(), state.jobs.clone(), state.clone())
        .with::<app::SendNotification>()
        .with::<app::SendAccountMail>()
}

/// Starts the jobs and the maintenance.
pub fn start(state: &AppState, lifecycle: &Lifecycle) {
    worker(state).start(lifecycle);
    lifecycle.every("gauges", COUNT, state, async move |state| app::count_waiting(&state).await.map(|()| 0));
    lifecycle.every("purge", PURGE, state, async move |state| app::purge(&state).await);
}
