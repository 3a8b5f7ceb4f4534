//! What waits to be published or seen to, measured by every replica: a relay that stands by while rows wait must not be silent.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    Relay, Role,
    store::{self, Backlog},
};

/// How often the same thing is logged.
const REPEAT: Duration = Duration::from_secs(15);

#[derive(Default)]
struct Logged {
    warned: Option<Instant>,
    alarmed: Option<Instant>,
}

impl Relay {
    pub(super) async fn watch_backlog(&self, shutdown: &CancellationToken) {
        let mut logged = Logged::default();
        while !shutdown.is_cancelled() {
            self.measure(&mut logged).await;
            shutdown.run_until_cancelled(sleep(self.policy.measure)).await;
        }
    }

    /// Measures the backlog, by Postgres' clock alone, and logs one that has waited for too long.
    async fn measure(&self, logged: &mut Logged) {
        let Ok(Backlog { waiting, age, dead_letters }) = store::backlog(&self.pool).await else { return };
        let standby = match self.role() {
            Role::Standby(since) => since.elapsed(),
            Role::Active | Role::Interrupted => Duration::ZERO,
        };
        // A row that has just been appended is no reason to call it idle.
        let idle = standby.min(age);
        metrics::gauge!("outbox_backlog").set(u32::try_from(waiting).unwrap_or(u32::MAX));
        metrics::gauge!("outbox_backlog_age_seconds").set(age.as_secs_f64());
        metrics::gauge!("outbox_standby_seconds").set(idle.as_secs_f64());
        metrics::gauge!("dead_letters").set(u32::try_from(dead_letters).unwrap_or(u32::MAX));
        let (age_seconds, standby_seconds) = (age.as_secs(), standby.as_secs());
        if idle >= self.policy.warn_after && is_due(&mut logged.warned) {
            tracing::warn!(
                relay = self.mark_key,
                waiting,
                age_seconds,
                "standing by for {standby_seconds} s while rows wait to be published"
            );
        }
        if age >= self.policy.alarm_after && is_due(&mut logged.alarmed) {
            tracing::error!(
                relay = self.mark_key,
                waiting,
                age_seconds,
                "the oldest row of the outbox has waited for {age_seconds} s to be published"
            );
        }
    }
}

fn is_due(last: &mut Option<Instant>) -> bool {
    let due = last.is_none_or(|last| last.elapsed() >= REPEAT);
    if due {
        *last = Some(Instant::now());
    }
    due
}
