//! Answers that are kept for a while; what is missing is found out once, however many ask.

use std::{
    hash::Hash,
    time::{Duration, Instant},
};

use quick_cache::{
    Weighter,
    sync::{Cache, EntryAction, EntryResult},
};

/// Answers by key. An error counts for those who waited for it, and for nobody else.
pub struct Memo<K, V, E> {
    answers: Cache<K, Kept<V, E>, Weigh<K, V>>,
}

#[derive(Clone)]
struct Kept<V, E> {
    /// It answers what was asked until then.
    good_until: Instant,
    answer: Result<V, E>,
}

/// The bytes of a key and a value beside their own size.
struct Weigh<K, V>(fn(&K, &V) -> usize);

impl<K, V> Clone for Weigh<K, V> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<K, V, E> Weighter<K, Kept<V, E>> for Weigh<K, V> {
    fn weight(&self, key: &K, kept: &Kept<V, E>) -> u64 {
        let fixed = size_of::<K>() + size_of::<Kept<V, E>>() + 4 * size_of::<usize>();
        (fixed + kept.answer.as_ref().map_or(0, |value| (self.0)(key, value))) as u64
    }
}

impl<K: Clone + Eq + Hash, V: Clone, E: Clone> Memo<K, V, E> {
    /// Keeps at most `capacity` bytes. `weight` is what a key and a value refer to.
    pub fn new(capacity: u64, weight: fn(&K, &V) -> usize) -> Self {
        Self { answers: Cache::with_weighter(1_000, capacity, Weigh(weight)) }
    }

    /// The answer that was begun to be found out at most `max_age` ago, or the one that `find` brings.
    pub async fn get(
        &self,
        key: &K,
        max_age: Duration,
        find: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let asked_at = Instant::now();
        let kept = self.answers.entry_async(key, |_, kept| {
            if asked_at <= kept.good_until {
                EntryAction::Retain(kept.answer.clone())
            } else {
                EntryAction::ReplaceWithGuard
            }
        });
        let guard = match kept.await {
            EntryResult::Retained(answer) => return answer,
            EntryResult::Vacant(guard) | EntryResult::Replaced(guard, _) => Some(guard),
            EntryResult::Removed(..) | EntryResult::Timeout => None,
        };
        let begun_at = Instant::now();
        let answer = find.await;
        let good_until = if answer.is_ok() { begun_at + max_age } else { Instant::now() };
        if let Some(guard) = guard {
            // Refused if it was invalidated or is too large: then it is just not kept.
            let _ = guard.insert(Kept { good_until, answer: answer.clone() });
        }
        answer
    }
}

#[cfg(test)]
mod tests;
