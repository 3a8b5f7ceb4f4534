//! Enqueueing, as part of a transaction.

use std::{sync::Arc, time::Duration};

use sqlx::PgConnection;
use tokio::sync::{Notify, futures::Notified};

use crate::{Job, store};

/// Enqueues jobs, and wakes the worker of this process. Clones wake the same worker.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    wake: Arc<Notify>,
}

impl Queue {
    /// Enqueues a job that is due after `delay`, as part of the transaction of `db`. If one with its key waits already, it
    /// is due at the new time, with all its tries; if it runs at the moment, it runs once more afterwards. Call
    /// [`Self::wake`] after the commit, unless nobody waits for it.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn enqueue<J: Job>(db: &mut PgConnection, job: &J, delay: Duration) -> sqlx::Result<()> {
        store::enqueue(db, J::KIND, &[job.key()], delay).await
    }

    /// Enqueues a job unless one with its key waits already: that one keeps its time.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn enqueue_if_absent<J: Job>(
        db: &mut PgConnection,
        job: &J,
        delay: Duration,
    ) -> sqlx::Result<()> {
        store::enqueue_if_absent(db, J::KIND, &job.key(), delay).await
    }

    /// Enqueues many jobs of a kind in one statement.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn enqueue_all<J: Job>(
        db: &mut PgConnection,
        jobs: impl IntoIterator<Item = J>,
        delay: Duration,
    ) -> sqlx::Result<()> {
        let keys: Vec<String> = jobs.into_iter().map(|job| job.key()).collect();
        store::enqueue(db, J::KIND, &keys, delay).await
    }

    /// Removes a job that is not needed any more. One that runs at the moment is finished.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn cancel<J: Job>(db: &mut PgConnection, job: &J) -> sqlx::Result<()> {
        store::remove(db, J::KIND, &job.key()).await
    }

    /// Has the worker look at once for what is due.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    pub(crate) fn woken(&self) -> Notified<'_> {
        self.wake.notified()
    }
}
