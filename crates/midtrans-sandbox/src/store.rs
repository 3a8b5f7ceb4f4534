//! The state behind a lock, and the promise that what was answered is in the file.

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::error::CommandError;
use crate::journal::{self, Journal, JournalError};
use crate::state::State;
use crate::webhooks::Webhook;

/// Shared by everything that reads or changes the state.
#[derive(Debug)]
pub(crate) struct Store {
    saved: Mutex<Saved>,
    changed: Notify,
}

#[derive(Debug)]
struct Saved {
    state: State,
    journal: Journal,
}

impl Saved {
    /// Brings the file up to the state; after a failure all of it.
    fn save(&mut self) -> io::Result<()> {
        let log = self.state.take_log();
        let complete = self.journal.is_complete();
        if complete { self.journal.append(&log) } else { self.journal.rewrite(&self.state.entries()) }
    }
}

impl Store {
    /// Reads the file and starts writing to it.
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        let state = State::replay(journal::load(path)?);
        let journal = Journal::create(path, &state.entries())?;
        Ok(Self { saved: Mutex::new(Saved { state, journal }), changed: Notify::new() })
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock().state)
    }

    /// Changes the state; the change is in the file when this returns. `change` puts things into the state only when it is
    /// going to succeed.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let (result, saved) = {
            let mut locked = self.lock();
            (change(&mut locked.state), locked.save())
        };
        let value = result?;
        self.changed.notify_one();
        saved.map_err(|error| {
            tracing::error!(%error, "the state file was not written");
            CommandError::Storage
        })?;
        Ok(value)
    }

    pub(crate) fn take_due_webhooks(&self, now: OffsetDateTime) -> Vec<Webhook> {
        self.lock().state.take_due_webhooks(now)
    }

    /// Purges old orders and rewrites the file with the rest.
    pub(crate) fn purge_before(&self, time: OffsetDateTime) {
        let mut locked = self.lock();
        locked.state.purge_before(time);
        locked.state.take_log();
        let entries = locked.state.entries();
        if let Err(error) = locked.journal.rewrite(&entries) {
            tracing::error!(%error, "the state file was not rewritten");
        }
    }

    /// Waits until the state changes, for the clock.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Whether the file holds the state; if it does not, it is tried again.
    pub(crate) fn is_writable(&self) -> bool {
        self.lock().save().is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, Saved> {
        // A panic in a handler is that request's fault; the state is changed in single steps and stays whole.
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use time::OffsetDateTime;

    use super::Store;
    use crate::error::CommandError;
    use crate::order::Order;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_change_that_was_not_written_is_refused_and_written_when_that_is_possible_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let put = |store: &Store, id: &str| {
            let order = Order::new(id.to_owned(), OffsetDateTime::UNIX_EPOCH);
            store.change(|state| {
                state.put_order(order);
                Ok(())
            })
        };
        let store = Store::open(&path).unwrap();
        store.lock().journal.file = OpenOptions::new().append(true).open("/dev/full").unwrap();
        assert_eq!(put(&store, "a"), Err(CommandError::Storage));
        assert!(store.is_writable(), "the folder is not full");
        put(&store, "b").unwrap();
        let restarted = Store::open(&path).unwrap();
        assert!(restarted.read(|state| state.order("a").is_some() && state.order("b").is_some()));
    }
}
