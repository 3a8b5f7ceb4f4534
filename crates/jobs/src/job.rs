//! What a kind of work is.

use std::{fmt::Display, future::Future, str::FromStr, time::Duration};

use chassis::{Backoff, BoxError};
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
pub trait Job: Send + Sync + 'static {
    /// The name of the kind, in the table, in logs and in metrics.
    const KIND: &'static str;
    /// How many jobs of this kind one process runs at the same time. A slow one holds up nothing but its slot.
    const CONCURRENCY: u16 = 8;
    /// The pauses after failed runs: from a second to five minutes, unless a kind says otherwise.
    const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(5));
    /// What the jobs of a service work with.
    type State: Send + Sync + 'static;
    /// What a job is about, as text in the table: at most one job of a kind waits for a key.
    type Key: Display + FromStr + Send;

    /// Does the work. It may run more than once, so it must bear repetition.
    ///
    /// # Errors
    /// If it has to be tried again: after a pause that grows from try to try.
    fn run(state: &Self::State, key: Self::Key) -> impl Future<Output = Result<Outcome, BoxError>> + Send;

    /// The job of this kind with this key.
    fn of(key: &Self::Key) -> JobId {
        JobId { kind: Self::KIND, key: key.to_string() }
    }
}

/// Which job: its kind, and its key within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobId {
    pub(crate) kind: &'static str,
    pub(crate) key: String,
}

impl JobId {
    /// To run as soon as it is committed.
    pub fn now(self) -> Due {
        self.after(Duration::ZERO)
    }

    /// The same job, to run after this time.
    pub fn after(self, delay: Duration) -> Due {
        Due { job: self, delay }
    }
}

/// A job, and when it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub(crate) job: JobId,
    pub(crate) delay: Duration,
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
