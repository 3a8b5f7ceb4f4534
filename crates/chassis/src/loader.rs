//! Values that are read elsewhere in sets and kept for a moment: a `DataLoader` that also caches.
//!
//! What many ask for at the same time is read once, and the next set forms while the last one is read: nothing waits for a
//! timer, and one who is alone does not wait at all.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use quick_cache::{Weighter, sync::Cache};

/// Where a [`Loader`] reads.
pub trait Source: Send + Sync + 'static {
    /// What a value is found by.
    type Key: Copy + Eq + Hash + Send + Sync + 'static;
    /// Cheap to clone.
    type Value: Clone + Send + Sync + 'static;
    /// Everybody who waits for a set gets its error.
    type Error: Clone + Send + Sync + 'static;

    /// Reads the values of some keys, each of them once. What is left out does not exist.
    fn load(
        &self,
        keys: Vec<Self::Key>,
    ) -> impl Future<Output = Result<HashMap<Self::Key, Self::Value>, Self::Error>> + Send;

    /// The bytes that a value takes, beside what every entry does.
    fn weight(value: &Self::Value) -> usize;
}

/// Reads and keeps values. Clones share what is kept.
pub struct Loader<S: Source> {
    shared: Arc<State<S>>,
}

/// More keys than that are not remembered one by one.
const MANY: usize = 10_000;

/// A set on its way: whoever waits for it also drives it.
type Batch<S> = Shared<BoxFuture<'static, Result<Arc<Values<S>>, <S as Source>::Error>>>;
type Values<S> = HashMap<<S as Source>::Key, Option<<S as Source>::Value>>;

struct State<S: Source> {
    source: S,
    max_age: Duration,
    entries: Cache<S::Key, Entry<S::Value>, EntryWeight<S>>,
    queue: Mutex<Queue<S>>,
    /// Held while a set is read.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Entry<V> {
    /// A moment before it was read, so that its age is never underestimated.
    read_at: Instant,
    /// `None`: it does not exist.
    value: Option<V>,
}

struct Queue<S: Source> {
    /// The keys of the next set, and the set once somebody waits for it.
    keys: HashSet<S::Key>,
    next: Option<Batch<S>>,
    /// What was invalidated since the last set was begun: what that finds may be older.
    invalidated: Invalidated<S::Key>,
}

struct Invalidated<K> {
    keys: HashSet<K>,
    all: bool,
}

struct EntryWeight<S>(std::marker::PhantomData<fn() -> S>);

impl<S> Clone for EntryWeight<S> {
    fn clone(&self) -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<S: Source> Weighter<S::Key, Entry<S::Value>> for EntryWeight<S> {
    fn weight(&self, _: &S::Key, entry: &Entry<S::Value>) -> u64 {
        // The cache itself keeps two words beside an entry and its allocation has a header.
        let fixed = size_of::<S::Key>() + size_of::<Entry<S::Value>>() + 4 * size_of::<usize>();
        (fixed + entry.value.as_ref().map_or(0, S::weight)) as u64
    }
}

impl<S: Source> Clone for Loader<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S: Source> Loader<S> {
    /// Keeps values for `max_age` after they were read, and at most `capacity` bytes of them.
    pub fn new(source: S, max_age: Duration, capacity: u64) -> Self {
        /// What a value usually takes: how many shards there are, and how many evicted keys are known, depends on it.
        const TYPICAL: u64 = 512;
        let items = usize::try_from(capacity / TYPICAL).unwrap_or(usize::MAX);
        let entries = Cache::with_weighter(items, capacity, EntryWeight(std::marker::PhantomData));
        let queue = Queue { keys: HashSet::new(), next: None, invalidated: Invalidated::new() };
        let turn = tokio::sync::Mutex::default();
        Self { shared: Arc::new(State { source, max_age, entries, queue: Mutex::new(queue), turn }) }
    }

    /// The values of some keys, in their order; `None` for what does not exist.
    ///
    /// # Errors
    /// If something had to be read and could not be.
    pub async fn get(&self, keys: &[S::Key]) -> Result<Vec<Option<S::Value>>, S::Error> {
        let kept: Vec<Option<Entry<S::Value>>> = self.shared.kept(keys);
        let missing = keys.iter().zip(&kept).filter(|(_, entry)| entry.is_none()).map(|(key, _)| *key);
        let loaded = match self.join(missing) {
            Some(batch) => batch.await?,
            None => Arc::default(),
        };
        let value = |(key, entry): (&S::Key, Option<Entry<S::Value>>)| match entry {
            Some(entry) => entry.value,
            None => loaded.get(key).cloned().flatten(),
        };
        Ok(keys.iter().zip(kept).map(value).collect())
    }

    /// As [`Self::get`], but reads all of them now: for what has to be right at this moment.
    ///
    /// # Errors
    /// If they could not be read.
    pub async fn read(&self, keys: &[S::Key]) -> Result<Vec<Option<S::Value>>, S::Error> {
        let Some(batch) = self.join(keys.iter().copied()) else { return Ok(Vec::new()) };
        let loaded = batch.await?;
        Ok(keys.iter().map(|key| loaded.get(key).cloned().flatten()).collect())
    }

    /// Ends the life of what is kept of these keys. Call it after the change is committed: whoever asks from then on
    /// gets what is read from then on.
    pub fn invalidate(&self, keys: impl IntoIterator<Item = S::Key>) {
        let mut queue = self.shared.queue();
        for key in keys {
            self.shared.entries.remove(&key);
            queue.invalidated.keys.insert(key);
        }
        if queue.invalidated.keys.len() > MANY {
            queue.invalidated = Invalidated { keys: HashSet::new(), all: true };
        }
    }

    /// The same for all keys: the next question for each is read again.
    pub fn invalidate_all(&self) {
        let mut queue = self.shared.queue();
        self.shared.entries.clear();
        queue.invalidated.all = true;
    }

    /// The bytes that the kept values take, as their sources weigh them.
    pub fn weight(&self) -> u64 {
        self.shared.entries.weight()
    }

    /// Adds keys to the next set.
    fn join(&self, missing: impl Iterator<Item = S::Key>) -> Option<Batch<S>> {
        let mut missing = missing.peekable();
        missing.peek()?;
        let mut queue = self.shared.queue();
        queue.keys.extend(missing);
        let next = queue.next.get_or_insert_with(|| Arc::clone(&self.shared).read().boxed().shared());
        Some(next.clone())
    }
}

impl<S: Source> State<S> {
    fn kept(&self, keys: &[S::Key]) -> Vec<Option<Entry<S::Value>>> {
        let now = Instant::now();
        let is_young = |entry: &Entry<S::Value>| now.duration_since(entry.read_at) < self.max_age;
        keys.iter().map(|key| self.entries.get(key).filter(is_young)).collect()
    }

    /// Reads the next set, once the last one is read.
    async fn read(self: Arc<Self>) -> Result<Arc<Values<S>>, S::Error> {
        let _turn = self.turn.lock().await;
        let keys = self.begin();
        let read_at = Instant::now();
        let mut found = self.source.load(keys.clone()).await?;
        let values: Values<S> = keys.into_iter().map(|key| (key, found.remove(&key))).collect();
        self.keep(&values, read_at);
        Ok(Arc::new(values))
    }

    fn begin(&self) -> Vec<S::Key> {
        let mut queue = self.queue();
        queue.next = None;
        queue.invalidated = Invalidated::new();
        queue.keys.drain().collect()
    }

    fn keep(&self, values: &Values<S>, read_at: Instant) {
        // Held, so that nothing is invalidated between the question and the insertion.
        let queue = self.queue();
        for (key, value) in values.iter().filter(|(key, _)| !queue.invalidated.contains(key)) {
            self.entries.insert(*key, Entry { read_at, value: value.clone() });
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<S>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Invalidated<K> {
    fn new() -> Self {
        Self { keys: HashSet::new(), all: false }
    }

    fn contains(&self, key: &K) -> bool {
        self.all || self.keys.contains(key)
    }
}

impl<S: Source> std::fmt::Debug for Loader<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader").field("entries", &self.shared.entries.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
