//! Fair queueing: round robin over the parties that wait, first come first served within each. A party with many requests
//! delays its own, and those of others by at most one turn.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::Party;

/// A bounded number of slots, and who waits for one. Clones share them.
#[derive(Clone)]
pub struct FairQueue(Arc<Mutex<State>>);

/// A slot, free again when dropped.
pub struct Slot(FairQueue);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

struct State {
    /// Slots that nobody has. While there is one, nobody waits.
    free: usize,
    /// How many may wait in all.
    capacity: usize,
    waiting: usize,
    /// Who waits, by party, oldest first. No party has an empty queue.
    queues: HashMap<Party, VecDeque<Waiter>>,
    /// The parties with a queue, the one whose turn is next first.
    rotation: VecDeque<Party>,
    next_ticket: u64,
}

struct Waiter {
    ticket: u64,
    grant: oneshot::Sender<Slot>,
}

/// Removes a waiter when dropped: a cancelled request holds no place.
struct WaitGuard<'a> {
    queue: &'a FairQueue,
    party: Party,
    ticket: u64,
}

impl FairQueue {
    /// A queue for this many slots, in which at most `capacity` wait.
    pub fn new(slots: usize, capacity: usize) -> Self {
        let state = State {
            free: slots,
            capacity,
            waiting: 0,
            queues: HashMap::new(),
            rotation: VecDeque::new(),
            next_ticket: 0,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Waits for a slot. If the queue is full, the newest of the party that waits most is refused instead, as long as
    /// that party waits more than the one that asks.
    pub async fn acquire(&self, party: Party) -> Result<Slot, Full> {
        let (grant, granted) = oneshot::channel();
        let ticket = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return Ok(Slot(self.clone()));
            }
            state.enqueue(party, grant)?
        };
        let _guard = WaitGuard { queue: self, party, ticket };
        granted.await.map_err(|_| Full)
    }

    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.state().waiting
    }

    fn release(&self) {
        let next = {
            let mut state = self.state();
            let next = state.dequeue();
            state.free += usize::from(next.is_none());
            next
        };
        if let Some(waiter) = next {
            // A waiter who is gone by now drops the slot, which releases it again.
            drop(waiter.grant.send(Slot(self.clone())));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enqueue(&mut self, party: Party, grant: oneshot::Sender<Slot>) -> Result<u64, Full> {
        if self.waiting >= self.capacity {
            self.evict_for(party)?;
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let queue = self.queues.entry(party).or_default();
        if queue.is_empty() {
            self.rotation.push_back(party);
        }
        queue.push_back(Waiter { ticket, grant });
        self.waiting += 1;
        Ok(ticket)
    }

    /// Makes room at the end of the longest queue, if that is longer than the one of `party` will be: none becomes empty.
    fn evict_for(&mut self, party: Party) -> Result<(), Full> {
        let own = self.queues.get(&party).map_or(0, VecDeque::len);
        let longest = self.queues.values_mut().max_by_key(|queue| queue.len()).ok_or(Full)?;
        if longest.len() <= own + 1 {
            return Err(Full);
        }
        longest.pop_back();
        self.waiting -= 1;
        Ok(())
    }

    fn dequeue(&mut self) -> Option<Waiter> {
        let party = self.rotation.pop_front()?;
        let queue = self.queues.get_mut(&party)?;
        let waiter = queue.pop_front()?;
        self.waiting -= 1;
        if queue.is_empty() {
            self.queues.remove(&party);
        } else {
            self.rotation.push_back(party);
        }
        Some(waiter)
    }

    fn remove(&mut self, party: Party, ticket: u64) {
        let Some(queue) = self.queues.get_mut(&party) else { return };
        let Some(at) = queue.iter().position(|waiter| waiter.ticket == ticket) else { return };
        queue.remove(at);
        self.waiting -= 1;
        if queue.is_empty() {
            self.queues.remove(&party);
            self.rotation.retain(|turn| *turn != party);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Drop for WaitGuard<'_> {
    fn drop(&mut self) {
        self.queue.state().remove(self.party, self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use futures::{
        FutureExt,
        future::{BoxFuture, join_all},
    };

    use super::*;

    type Asking<'a> = BoxFuture<'a, Result<Slot, Full>>;

    fn party(letter: char) -> Party {
        Party::Account(i64::from(u32::from(letter)).try_into().unwrap())
    }

    /// Asks once for each letter, in this order, as far as it goes without waiting.
    fn ask<'a>(queue: &'a FairQueue, letters: &str) -> Vec<Asking<'a>> {
        let ask = |letter| {
            let mut asking = queue.acquire(party(letter)).boxed();
            match asking.as_mut().now_or_never() {
                Some(done) => std::future::ready(done).boxed(),
                None => asking,
            }
        };
        letters.chars().map(ask).collect()
    }

    /// The letters in the order in which they get the only slot, which each gives back at once.
    async fn order(asking: Vec<Asking<'_>>, letters: &str) -> String {
        let served = Mutex::new(String::new());
        let serve = async |(asking, letter): (Asking<'_>, char)| {
            if let Ok(_slot) = asking.await {
                served.lock().unwrap().push(letter);
            }
        };
        join_all(asking.into_iter().zip(letters.chars()).map(serve)).await;
        served.into_inner().unwrap()
    }

    async fn served(capacity: usize, letters: &str) -> String {
        let queue = FairQueue::new(1, capacity);
        let busy = queue.acquire(Party::Shop).await.unwrap();
        let asking = ask(&queue, letters);
        drop(busy);
        let served = order(asking, letters).await;
        assert_eq!((queue.waiting(), queue.state().free), (0, 1));
        served
    }

    #[tokio::test]
    async fn parties_take_turns_and_each_waits_behind_itself() {
        assert_eq!(served(20, "aaaaaabbc").await, "abcabaaaa");
        assert_eq!(served(20, "aaa").await, "aaa");
    }

    #[tokio::test]
    async fn in_a_full_queue_the_party_that_waits_most_gives_way() {
        assert_eq!(served(4, "aaaaaa").await, "aaaa", "nobody else to give way");
        assert_eq!(served(4, "aaaabc").await, "abca", "the others get their turn all the same");
        assert_eq!(served(3, "abcd").await, "abc", "nobody has more than the new one would");
    }

    #[tokio::test]
    async fn who_goes_away_holds_neither_a_place_nor_a_slot() {
        let queue = FairQueue::new(1, 3);
        let busy = queue.acquire(Party::Shop).await.unwrap();
        let mut asking = ask(&queue, "abc");
        drop(asking.remove(0));
        assert_eq!(queue.waiting(), 2);
        asking.extend(ask(&queue, "d"));
        drop(busy);
        drop(asking.remove(0));
        let slot = asking.remove(0).await.unwrap();
        assert_eq!(queue.waiting(), 1, "the slot that b was given went to c");
        drop((slot, asking));
        assert_eq!((queue.waiting(), queue.state().free), (0, 1));
    }
}
