//! Hashes passwords without delaying anything else: on threads that may block, only as many at a time as there are cores
//! to compute them, and only so many waiting that each is served before its request's deadline. Parties take turns, so
//! that none keeps the others waiting.

mod fair_queue;

use std::{
    num::NonZero,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use argon2::password_hash;
use contracts::UserId;
use ipnet::IpNet;

use self::fair_queue::{FairQueue, Full};
use crate::domain::{GivenPassword, Memory, NewPassword, hash_password, verify_password};

/// How many may wait per core. A core hashes tens of passwords a second.
const QUEUE_PER_CORE: usize = 256;

#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many are waiting already, most of them of the same party.
    #[error("too many passwords are waiting to be hashed")]
    Busy,
    /// The hash in the database is none, or the system has no randomness.
    #[error("a password could not be hashed")]
    Failed(#[from] password_hash::Error),
    /// The thread that hashed is gone.
    #[error("a password was not hashed to the end")]
    Lost(#[from] tokio::task::JoinError),
}

impl From<Full> for HashError {
    fn from(_: Full) -> Self {
        Self::Busy
    }
}

/// Whose turn it is: what one cannot have many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// Somebody who is known to own this account.
    Account(UserId),
    /// Everybody whose address is in this network: they share one turn.
    Network(IpNet),
    /// The shop itself, as when it makes the first administrator.
    Shop,
}

/// Hashes passwords, a few at a time. Clones share the limits.
#[derive(Clone)]
pub struct Hasher {
    /// The cores, and who waits for one.
    cores: FairQueue,
    /// The memory that hashes are computed in, kept for the next one.
    spare: Arc<Spare>,
}

/// Memory that waits for the next hash.
#[derive(Default)]
struct Spare {
    memory: Mutex<Vec<Memory>>,
    /// Whether some was taken since the last look; if not, it is released.
    wanted: AtomicBool,
}

impl Spare {
    fn take(&self) -> Memory {
        self.wanted.store(true, Ordering::Relaxed);
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn put(&self, memory: Memory) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }
}

impl Hasher {
    /// A hasher for the cores of this machine. More at a time would not be faster, and each needs 19 MiB.
    pub fn new() -> Self {
        Self::with_cores(thread::available_parallelism().map_or(1, NonZero::get))
    }

    fn with_cores(cores: usize) -> Self {
        Self { cores: FairQueue::new(cores, cores * QUEUE_PER_CORE), spare: Arc::default() }
    }

    /// The PHC string to store for a password.
    pub async fn hash(&self, party: Party, password: NewPassword) -> Result<String, HashError> {
        Ok(self.run(party, move |memory| hash_password(&password, memory)).await??)
    }

    /// Whether a password is the one that was stored; as slow if none was.
    pub async fn verify(
        &self,
        party: Party,
        password: GivenPassword,
        stored: Option<String>,
    ) -> Result<bool, HashError> {
        Ok(self.run(party, move |memory| verify_password(&password, stored.as_deref(), memory)).await??)
    }

    /// Returns the memory to the system if none was used since the last call.
    pub fn release_memory(&self) {
        if !self.spare.wanted.swap(false, Ordering::Relaxed) {
            self.spare.memory.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        party: Party,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let core = self.cores.acquire(party).await?;
        let spare = self.spare.clone();
        // The core is taken until the work is done, even if the client has gone away by then.
        let done = tokio::task::spawn_blocking(move || {
            let mut memory = spare.take();
            let done = work(&mut memory);
            spare.put(memory);
            drop(core);
            done
        });
        Ok(done.await?)
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::future::join_all;

    use super::*;

    fn account(id: i64) -> Party {
        Party::Account(UserId::try_from(id).unwrap())
    }

    #[tokio::test]
    async fn only_as_many_hash_at_a_time_as_there_are_cores_and_a_full_queue_is_said_at_once() {
        let hasher = Hasher::with_cores(1);
        let (go, gone) = mpsc::channel::<()>();
        let first = hasher.run(Party::Shop, move |_| gone.recv().is_ok());
        let others = join_all((0..QUEUE_PER_CORE).map(|_| hasher.run(account(1), |_| true)));
        let crowd = async {
            tokio::task::yield_now().await;
            assert_eq!(hasher.cores.waiting(), QUEUE_PER_CORE);
            assert!(matches!(hasher.run(account(1), |_| true).await, Err(HashError::Busy)));
            go.send(()).unwrap();
        };
        let (first, others, ()) = tokio::join!(first, others, crowd);
        assert!(first.unwrap() && others.into_iter().all(|done| done.unwrap()));
        assert!(hasher.run(account(1), |_| true).await.unwrap(), "there is room again");
    }

    #[tokio::test]
    async fn a_party_that_wants_everything_hashed_keeps_nobody_waiting() {
        let hasher = Hasher::with_cores(1);
        let count = Arc::new(Mutex::new(0));
        let (go, gone) = mpsc::channel::<()>();
        let first = hasher.run(account(1), move |_| gone.recv().is_ok());
        let flood = join_all((0..2 * QUEUE_PER_CORE).map(|_| {
            let count = count.clone();
            hasher.run(account(1), move |_| *count.lock().unwrap() += 1)
        }));
        let customer = async {
            tokio::task::yield_now().await;
            let before = count.clone();
            let turn = hasher.run(account(2), move |_| *before.lock().unwrap());
            let (turn, sent) = tokio::join!(turn, async { go.send(()) });
            sent.unwrap();
            turn.unwrap()
        };
        let (_, flood, before) = tokio::join!(first, flood, customer);
        assert!(before <= 1, "{before} passwords of the other party came first");
        assert_eq!(flood.iter().filter(|done| done.is_ok()).count(), QUEUE_PER_CORE - 1);
    }

    #[tokio::test]
    async fn memory_is_kept_while_it_is_used_and_released_after() {
        let hasher = Hasher::with_cores(1);
        let spare = || hasher.spare.memory.lock().unwrap().len();
        let run = || hasher.run(Party::Shop, |_| true);
        assert!(run().await.unwrap() && run().await.unwrap());
        assert_eq!(spare(), 1);
        hasher.release_memory();
        assert_eq!(spare(), 1, "it was used a moment ago");
        hasher.release_memory();
        assert_eq!(spare(), 0);
    }
}
