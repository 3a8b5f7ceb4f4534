//! The book behind a lock, and the promise that what was answered is on the disk.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::book::Book;
use crate::fault::Fault;
use crate::journal::{self, Journal, JournalError, Writer};
use crate::webhooks::Webhook;

/// Shared by everything that reads or changes the state.
#[derive(Debug)]
pub(crate) struct Store {
    book: Mutex<Book>,
    journal: Journal,
    changed: Notify,
}

impl Store {
    /// Reads the file and starts writing to it.
    pub(crate) fn open(path: &Path) -> Result<(Self, Writer), JournalError> {
        let book = Book::replay(journal::load(path)?);
        let (journal, writer) = journal::start(path, &book.entries())?;
        Ok((Self { book: Mutex::new(book), journal, changed: Notify::new() }, writer))
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&Book) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the book; returns once the change is on the disk. `change` puts things into the book only when it is going
    /// to succeed.
    pub(crate) async fn change<T>(
        &self,
        change: impl FnOnce(&mut Book) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let (result, written) = {
            let mut book = self.lock();
            let result = change(&mut book);
            // Inside the lock: the journal has to hold the changes in the order in which they were made.
            (result, self.journal.append(&book.take_log()))
        };
        let value = result?;
        self.changed.notify_one();
        written.await.map_err(|_| Fault::Storage)?;
        Ok(value)
    }

    pub(crate) fn take_due_webhooks(&self, now: OffsetDateTime) -> Vec<Webhook> {
        self.lock().take_due_webhooks(now)
    }

    /// Forgets old orders and brings the file down to what is left.
    pub(crate) fn forget_before(&self, time: OffsetDateTime) {
        let mut book = self.lock();
        book.forget_before(time);
        book.take_log();
        self.journal.rewrite(&book.entries());
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

    fn lock(&self) -> MutexGuard<'_, Book> {
        // A panic in a handler is that request's fault; the book is changed in single steps and stays whole.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
