//! Enqueueing, as part of a transaction.

use std::sync::Arc;

use sqlx::PgConnection;
use tokio::sync::{Notify, futures::Notified};

use crate::{Due, JobId, store};

/// Enqueues jobs, and wakes the worker of this process. Clones wake the same worker.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    wake: Arc<Notify>,
}

impl Queue {
    /// Enqueues jobs in one statement, as part of the transaction of `db`. If one with the same key waits already, it is due
    /// at the new time, with all its tries; if it runs at the moment, it runs once more afterwards. Call [`Self::wake`]
    /// after the commit, unless nobody waits for it.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn enqueue(db: &mut PgConnection, jobs: impl IntoIterator<Item = Due>) -> sqlx::Result<()> {
        store::enqueue(db, jobs).await
    }

    /// Enqueues jobs unless one with the same key waits already: that one keeps its time.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn enqueue_if_absent(
        db: &mut PgConnection,
        jobs: impl IntoIterator<Item = Due>,
    ) -> sqlx::Result<()> {
        store::enqueue_if_absent(db, jobs).await
    }

    /// Removes jobs that are not needed any more, in one statement. One that runs at the moment is finished.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn cancel(db: &mut PgConnection, jobs: impl IntoIterator<Item = JobId>) -> sqlx::Result<()> {
        store::remove(db, jobs).await
    }

    /// Has the worker look at once for what is due.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    pub(crate) fn woken(&self) -> Notified<'_> {
        self.wake.notified()
    }
}
