//! What a kind of work is.

use std::{future::Future, time::Duration};

use chassis::BoxError;
use tokio::time::timeout;

/// How long a job belongs to the process that claimed it; then another may claim it. No dead or frozen process holds up
/// anything for longer.
pub const LEASE: Duration = Duration::from_secs(15);
/// How long one run may take. Shorter than the lease, so that no two processes run a job at once.
pub const DEADLINE: Duration = Duration::from_secs(12);
const _: () = assert!(DEADLINE.as_secs() < LEASE.as_secs());

/// A run that did not end within [`DEADLINE`].
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("not done within {} s", DEADLINE.as_secs())]
pub struct TimedOut;

/// Bounds work by the deadline of a job; what takes longer is dropped.
///
/// # Errors
/// If it takes longer.
pub async fn within_deadline<T>(work: impl Future<Output = T> + Send) -> Result<T, TimedOut> {
    timeout(DEADLINE, work).await.map_err(|_| TimedOut)
}

/// A kind of work that waits in the table until it is due.
pub trait Job: Sized + Send + Sync + 'static {
    /// The name of the kind, in the table, in logs and in metrics.
    const KIND: &'static str;
    /// How many jobs of this kind one process runs at the same time. A slow one holds up nothing but its slot.
    const CONCURRENCY: u16 = 8;
    /// The pauses after failed runs.
    const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(5));
    /// What the jobs of a service work with.
    type State: Send + Sync + 'static;

    /// What the job is about: at most one job of a kind waits for a key.
    fn key(&self) -> String;

    /// The job with this key; `None` if the key is none of this kind, which makes the row dead.
    fn from_key(key: &str) -> Option<Self>;

    /// Does the work. It may run more than once, so it must bear repetition.
    ///
    /// # Errors
    /// If it has to be tried again: after a pause that grows from try to try.
    fn run(&self, state: &Self::State) -> impl Future<Output = Result<Outcome, BoxError>> + Send;
}

/// How a run has ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There is nothing left to do: the row goes.
    Done,
    /// It is to run once more after this time, as if it had just been enqueued.
    Again(Duration),
    /// It is to run once more after a pause that grows from run to run, as after a failure.
    Later,
    /// It can never succeed: a person has to see to it. The text says why.
    Dead(&'static str),
}

/// Pauses that double from try to try.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// `first` after the first try, doubled with each further one, up to `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The pause after a number of tries.
    pub fn after(self, tries: i32) -> Duration {
        let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or_default();
        let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff::new(Duration::from_secs(30), Duration::from_mins(10));
        let pauses = [0, 1, 2, 3, 4, 5, 6, i32::MAX].map(|tries| backoff.after(tries).as_secs());
        assert_eq!(pauses, [30, 30, 60, 120, 240, 480, 600, 600]);
    }
}
