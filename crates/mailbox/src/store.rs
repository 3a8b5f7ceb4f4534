//! The last mails, within bounds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::mail::Mail;

/// Mails that are kept at most; the oldest go first.
pub(crate) const MOST_MAILS: usize = 500;
/// Bytes that they may have together as they came, which bounds what they take in memory.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The mails that were taken last.
#[derive(Debug, Default)]
pub struct Store {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    mails: VecDeque<Arc<Mail>>,
    bytes: usize,
    taken: u64,
}

impl Store {
    /// Keeps a mail. One that is there already is counted instead.
    pub(crate) fn keep(&self, mut mail: Mail) {
        let mut inner = self.lock();
        if let Some(known) = inner.mails.iter_mut().find(|known| mail.is_copy_of(known)) {
            Arc::make_mut(known).copies += 1;
            return;
        }
        inner.taken += 1;
        mail.id = inner.taken;
        inner.bytes += mail.size;
        inner.mails.push_back(Arc::new(mail));
        while inner.mails.len() > MOST_MAILS || inner.bytes > MOST_BYTES {
            let Some(oldest) = inner.mails.pop_front() else { break };
            inner.bytes -= oldest.size;
        }
    }

    /// All that are there, newest first.
    pub fn list(&self) -> Vec<Arc<Mail>> {
        self.lock().mails.iter().rev().cloned().collect()
    }

    /// One of them.
    pub fn find(&self, id: u64) -> Option<Arc<Mail>> {
        self.lock().mails.iter().find(|mail| mail.id == id).cloned()
    }

    /// Removes all of them.
    pub fn clear(&self) {
        let mut inner = self.lock();
        inner.mails.clear();
        inner.bytes = 0;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::mail::Envelope;

    fn mail(id: &str, size: usize) -> Mail {
        let envelope = Envelope { from: "a@example.com".to_owned(), to: vec!["b@example.com".to_owned()] };
        let raw = format!("Message-ID: <{id}>\r\nSubject: {id}\r\n\r\nHello\r\n");
        Mail { size, ..Mail::read(envelope, raw.as_bytes(), OffsetDateTime::UNIX_EPOCH) }
    }

    #[test]
    fn the_oldest_go_where_there_are_too_many_or_they_are_too_large() {
        let store = Store::default();
        for n in 0..=MOST_MAILS {
            store.keep(mail(&n.to_string(), 10));
        }
        let kept = store.list();
        assert_eq!((kept.len(), kept[0].subject.as_str()), (MOST_MAILS, "500"));
        assert_eq!(kept.last().map(|mail| mail.subject.as_str()), Some("1"));
        store.keep(mail("large", MOST_BYTES));
        assert_eq!(store.list().iter().map(|mail| mail.subject.as_str()).collect::<Vec<_>>(), ["large"]);
    }

    #[test]
    fn a_mail_that_comes_again_is_counted() {
        let store = Store::default();
        store.keep(mail("one", 10));
        store.keep(mail("two", 10));
        store.keep(mail("one", 10));
        let kept = store.list();
        assert_eq!(kept.iter().map(|mail| (mail.id, mail.copies)).collect::<Vec<_>>(), [(2, 1), (1, 2)]);
    }
}
