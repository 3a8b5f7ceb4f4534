//! Group commit: requests that come while others are being committed are committed together, in one transaction.
//!
//! There is no timer: one request that is alone is committed at once, and the next group gathers meanwhile.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard, oneshot};

/// The most requests that one transaction has.
const MAX_GROUP: usize = 256;

/// A request that can be committed together with others of its kind.
pub trait Commit: Sized + Send + Sync + 'static {
    /// What committing needs, such as a pool of connections.
    type State: Clone + Send + Sync + 'static;
    /// What became of one request. A request that is refused has that as its reply and fails no other.
    type Reply: Send + 'static;
    /// Why nothing of a group was committed.
    type Error: Send + 'static;

    /// Commits a group and returns one reply for each request, in their order. After an error nothing is committed, and
    /// halves of the group are tried, so that only the culprit fails.
    fn commit(
        state: &Self::State,
        group: &[Self],
    ) -> impl Future<Output = Result<Vec<Self::Reply>, Self::Error>> + Send;
}

/// Why a request was not committed.
#[derive(Debug, thiserror::Error)]
pub enum GroupCommitError<E> {
    /// Committing failed: nothing of the group was written.
    #[error(transparent)]
    Failed(E),
    /// A bug: committing panicked, or did not answer each request.
    #[error("a request was not answered by its group")]
    Lost,
}

impl From<GroupCommitError<Self>> for sqlx::Error {
    fn from(error: GroupCommitError<Self>) -> Self {
        match error {
            GroupCommitError::Failed(error) => error,
            GroupCommitError::Lost => Self::WorkerCrashed,
        }
    }
}

type Answer<C> = Result<<C as Commit>::Reply, <C as Commit>::Error>;

/// A request, and whom to answer.
struct Waiting<C: Commit> {
    request: C,
    answer: oneshot::Sender<Answer<C>>,
}

/// The requests of a process that wait to be committed. Clones share them.
pub struct GroupCommit<C: Commit> {
    waiting: Arc<Mutex<Vec<Waiting<C>>>>,
    turn: Arc<Turn<()>>,
}

impl<C: Commit> std::fmt::Debug for GroupCommit<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupCommit").finish_non_exhaustive()
    }
}

impl<C: Commit> Clone for GroupCommit<C> {
    fn clone(&self) -> Self {
        Self { waiting: self.waiting.clone(), turn: self.turn.clone() }
    }
}

impl<C: Commit> Default for GroupCommit<C> {
    fn default() -> Self {
        Self { waiting: Arc::default(), turn: Arc::default() }
    }
}

impl<C: Commit> GroupCommit<C> {
    /// Commits a request, together with those that wait at the moment. A group that was begun is committed even if whoever
    /// waits for it goes away.
    ///
    /// # Errors
    /// If it was not committed.
    pub async fn submit(&self, state: &C::State, request: C) -> Result<C::Reply, GroupCommitError<C::Error>> {
        let (answer, mut answered) = oneshot::channel();
        self.lock().push(Waiting { request, answer });
        loop {
            tokio::select! {
                biased;
                answered = &mut answered => {
                    return answered.map_err(|_| GroupCommitError::Lost)?.map_err(GroupCommitError::Failed);
                }
                turn = self.turn.clone().lock_owned() => {
                    #[expect(clippy::disallowed_methods, reason = "its request keeps the process alive until it ends")]
                    tokio::spawn(run(state.clone(), self.take_group(), turn));
                }
            }
        }
    }

    fn take_group(&self) -> Vec<Waiting<C>> {
        let mut waiting = self.lock();
        let size = waiting.len().min(MAX_GROUP);
        waiting.drain(..size).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting<C>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Commits a group; the turn is over with it.
async fn run<C: Commit>(state: C::State, group: Vec<Waiting<C>>, _turn: OwnedMutexGuard<()>) {
    let there = group.into_iter().filter(|waiting| !waiting.answer.is_closed());
    let (requests, answers): (Vec<C>, Vec<_>) =
        there.map(|waiting| (waiting.request, waiting.answer)).unzip();
    let (mut answers, mut parts) = (answers.into_iter(), vec![requests]);
    while let Some(mut part) = parts.pop() {
        match C::commit(&state, &part).await {
            Ok(replies) => replies.into_iter().for_each(|reply| send(answers.next(), Ok(reply))),
            Err(error) if part.len() < 2 => send(answers.next(), Err(error)),
            Err(_) => {
                let second = part.split_off(part.len().div_ceil(2));
                parts.extend([second, part]);
            }
        }
    }
}

fn send<T>(answer: Option<oneshot::Sender<T>>, value: T) {
    // Whoever has gone away meanwhile needs no answer.
    let _ = answer.map(|answer| answer.send(value));
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test waits for its tasks itself")]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::sync::{Notify, Semaphore};

    use super::*;

    /// Doubles numbers. A group with 13 in it fails, and 7 is refused.
    struct Double(u32);

    #[derive(Default)]
    struct World {
        gate: Option<Semaphore>,
        begun: Notify,
        groups: Mutex<Vec<usize>>,
        panics: AtomicBool,
    }

    impl Commit for Double {
        type State = Arc<World>;
        type Reply = Result<u32, &'static str>;
        type Error = &'static str;

        async fn commit(world: &Arc<World>, group: &[Self]) -> Result<Vec<Self::Reply>, &'static str> {
            world.groups.lock().unwrap().push(group.len());
            world.begun.notify_one();
            if let Some(gate) = &world.gate {
                gate.acquire().await.unwrap().forget();
            }
            assert!(!world.panics.load(Ordering::Relaxed), "as asked for");
            if group.iter().any(|Self(n)| *n == 13) {
                return Err("unlucky");
            }
            Ok(group.iter().map(|Self(n)| if *n == 7 { Err("refused") } else { Ok(2 * n) }).collect())
        }
    }

    #[tokio::test]
    async fn who_comes_meanwhile_is_committed_together_and_one_culprit_fails_alone() {
        let world = Arc::new(World { gate: Some(Semaphore::new(0)), ..World::default() });
        let commits = GroupCommit::<Double>::default();
        let submit = |n| {
            let (world, commits) = (world.clone(), commits.clone());
            tokio::spawn(async move { commits.submit(&world, Double(n)).await })
        };
        let first = submit(1);
        world.begun.notified().await;
        let others = [2, 7, 13, 4].map(submit);
        while commits.lock().len() < 4 {
            tokio::task::yield_now().await;
        }
        world.gate.as_ref().unwrap().add_permits(100);
        assert_eq!(first.await.unwrap().unwrap(), Ok(2));
        let [two, seven, thirteen, four] = others;
        assert_eq!(two.await.unwrap().unwrap(), Ok(4));
        assert_eq!(seven.await.unwrap().unwrap(), Err("refused"));
        assert!(matches!(thirteen.await.unwrap(), Err(GroupCommitError::Failed("unlucky"))));
        assert_eq!(four.await.unwrap().unwrap(), Ok(8));
        assert_eq!(*world.groups.lock().unwrap(), [1, 4, 2, 2, 1, 1]);
    }

    #[tokio::test]
    async fn a_group_goes_on_without_whoever_began_it_and_after_one_that_panicked() {
        let world = Arc::new(World { gate: Some(Semaphore::new(0)), ..World::default() });
        let commits = GroupCommit::<Double>::default();
        let gone = tokio::spawn({
            let (world, commits) = (world.clone(), commits.clone());
            async move { commits.submit(&world, Double(1)).await }
        });
        world.begun.notified().await;
        gone.abort();
        world.gate.as_ref().unwrap().add_permits(100);
        assert_eq!(commits.submit(&world, Double(2)).await.unwrap(), Ok(4));
        world.panics.store(true, Ordering::Relaxed);
        assert!(matches!(commits.submit(&world, Double(3)).await, Err(GroupCommitError::Lost)));
        world.panics.store(false, Ordering::Relaxed);
        assert_eq!(commits.submit(&world, Double(4)).await.unwrap(), Ok(8));
    }
}
