//! The successful replies of the Core API by `Idempotency-Key`, in memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;

/// For how long a stored reply is given again.
const LIFETIME: Duration = Duration::from_mins(5);

#[derive(Debug, Default)]
pub(crate) struct StoredReplies(Mutex<HashMap<String, StoredReply>>);

#[derive(Debug, Clone)]
pub(crate) enum StoredReply {
    InFlight,
    Stored { body: Bytes, at: Instant },
}

impl StoredReplies {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, StoredReply>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is for the key; if nothing, the key is taken by the caller.
    pub(crate) fn take(&self, key: &str) -> Option<StoredReply> {
        let mut replies = self.lock();
        replies
            .retain(|_, reply| !matches!(reply, StoredReply::Stored { at, .. } if at.elapsed() > LIFETIME));
        let found = replies.get(key).cloned();
        if found.is_none() {
            replies.insert(key.to_owned(), StoredReply::InFlight);
        }
        found
    }
}

/// Frees the key when the request ends without a reply to store, also by the caller going away.
pub(crate) struct TakenKey<'a> {
    pub(crate) replies: &'a StoredReplies,
    pub(crate) key: String,
}

impl Drop for TakenKey<'_> {
    fn drop(&mut self) {
        let mut replies = self.replies.lock();
        if matches!(replies.get(&self.key), Some(StoredReply::InFlight)) {
            replies.remove(&self.key);
        }
    }
}

impl TakenKey<'_> {
    /// Keeps the reply for later requests with this key.
    pub(crate) fn store(&self, body: Bytes) {
        self.replies.lock().insert(self.key.clone(), StoredReply::Stored { body, at: Instant::now() });
    }
}
