//! The state behind a lock, and the promise that what was answered is on the disk.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::error::CommandError;
use crate::journal::{self, Journal, JournalError, Writer};
use crate::state::State;
use crate::webhooks::Webhook;

/// Shared by everything that reads or changes the state.
#[derive(Debug)]
pub(crate) struct Store {
    state: Mutex<State>,
    journal: Journal,
    changed: Notify,
}

impl Store {
    /// Reads the file and starts writing to it.
    pub(crate) fn open(path: &Path) -> Result<(Self, Writer), JournalError> {
        let state = State::replay(journal::load(path)?);
        let (journal, writer) = journal::start(path, &state.entries())?;
        Ok((Self { state: Mutex::new(state), journal, changed: Notify::new() }, writer))
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the state; returns once the change is on the disk. `change` puts things into the state only when it is going
    /// to succeed.
    pub(crate) async fn change<T>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let (result, written) = {
            let mut state = self.lock();
            let result = change(&mut state);
            // Inside the lock: the journal has to hold the changes in the order in which they were made.
            (result, self.journal.append(&state.take_log()))
        };
        let value = result?;
        self.changed.notify_one();
        written.await.map_err(|_| CommandError::Storage)?;
        Ok(value)
    }

    pub(crate) fn take_due_webhooks(&self, now: OffsetDateTime) -> Vec<Webhook> {
        self.lock().take_due_webhooks(now)
    }

    /// Purges old orders and rewrites the file with the rest.
    pub(crate) fn purge_before(&self, time: OffsetDateTime) {
        let mut state = self.lock();
        state.purge_before(time);
        state.take_log();
        self.journal.rewrite(&state.entries());
    }

    /// Waits for a change.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.journal.is_alive()
    }

    pub(crate) fn close(&self) {
        self.journal.close();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in a handler is that request's fault; the state is changed in single steps and stays whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
