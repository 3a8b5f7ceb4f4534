//! Work that waits in a table until it is due. It is taken up as slots come free, so that one slow piece holds up nothing
//! but its slot, and a process that dies holds only what it was doing: a lease of [`LEASE`] at most.

use std::{future::Future, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a piece of work belongs to the process that took it up; then another may. No dead or frozen process holds up
/// anything for longer.
pub const LEASE: Duration = Duration::from_secs(15);
/// How long a piece of work may take. Shorter than its lease, so that no two processes have it at once.
pub const DEADLINE: Duration = Duration::from_secs(10);
const _: () = assert!(DEADLINE.as_secs() < LEASE.as_secs());

/// A piece of work that was not done within [`DEADLINE`].
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("not done within {} s", DEADLINE.as_secs())]
pub struct TimedOut;

/// Runs what is due, at most `slots` pieces at a time, until nothing is or the process is to stop; what runs then is
/// finished. Returns how much there was.
///
/// `claim` takes up at most as many pieces as it is asked for, with a lease of [`LEASE`]; what it returns runs at once.
///
/// # Errors
/// If claiming fails. What runs is finished first.
pub async fn drain<J, E, C, R>(
    slots: usize,
    shutdown: &CancellationToken,
    claim: impl Fn(i64) -> C + Send + Sync,
    run: impl Fn(J) -> R + Send + Sync,
) -> Result<usize, E>
where
    J: Send,
    E: Send,
    C: Future<Output = Result<Vec<J>, E>> + Send,
    R: Future<Output = ()> + Send,
{
    let (mut running, mut found) = (FuturesUnordered::new(), 0);
    let failed = loop {
        let free = slots - running.len();
        if free > 0 && !shutdown.is_cancelled() {
            match claim(i64::try_from(free).unwrap_or(i64::MAX)).await {
                Ok(jobs) => {
                    found += jobs.len();
                    running.extend(jobs.into_iter().map(&run));
                }
                Err(error) => break Some(error),
            }
        }
        if running.next().await.is_none() {
            break None;
        }
    };
    running.for_each(async |()| {}).await;
    failed.map_or(Ok(found), Err)
}

/// Runs one piece of work within its deadline.
///
/// # Errors
/// If it takes longer: it is dropped then.
pub async fn within_deadline<T>(work: impl Future<Output = T> + Send) -> Result<T, TimedOut> {
    timeout(DEADLINE, work).await.map_err(|_| TimedOut)
}

/// How long to wait after a number of tries: `first` after one, doubled with each further one, up to `longest`.
pub fn backoff(tries: i32, first: Duration, longest: Duration) -> Duration {
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or_default();
    first.saturating_mul(2_u32.checked_pow(doublings).unwrap_or(u32::MAX)).min(longest)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        sync::{
            Mutex,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use tokio::sync::Notify;

    use super::*;

    /// Why nothing can be claimed.
    #[derive(Debug, PartialEq, Eq)]
    struct Gone;

    /// Pieces of work that are due, by number.
    struct Queue(Mutex<VecDeque<usize>>);

    impl Queue {
        fn of(count: usize) -> Self {
            Self(Mutex::new((0..count).collect()))
        }

        fn claim(&self, limit: i64) -> Vec<usize> {
            let mut due = self.0.lock().unwrap();
            let taken = due.len().min(limit.try_into().unwrap());
            due.drain(..taken).collect()
        }
    }

    #[tokio::test]
    async fn one_slow_piece_holds_up_nothing_but_its_slot() {
        let (queue, others) = (Queue::of(100), AtomicUsize::new(0));
        let slow_may_end = Notify::new();
        let run = async |job: usize| {
            if job == 0 {
                slow_may_end.notified().await;
            } else if others.fetch_add(1, Ordering::Relaxed) == 98 {
                slow_may_end.notify_one();
            }
        };
        let found =
            drain(2, &CancellationToken::new(), async |limit| Ok::<_, Gone>(queue.claim(limit)), run).await;
        assert_eq!((found, others.into_inner()), (Ok(100), 99), "the slow one waits for all others");
    }

    #[tokio::test]
    async fn no_more_is_taken_up_than_runs() {
        let (queue, running, most) = (Queue::of(50), AtomicUsize::new(0), AtomicUsize::new(0));
        let run = async |_| {
            most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            assert!(running.load(Ordering::Relaxed) <= 4);
            tokio::task::yield_now().await;
            running.fetch_sub(1, Ordering::Relaxed);
        };
        let found =
            drain(4, &CancellationToken::new(), async |limit| Ok::<_, Gone>(queue.claim(limit)), run).await;
        assert_eq!((found, most.into_inner()), (Ok(50), 4));
    }

    #[tokio::test]
    async fn what_runs_is_finished_when_the_process_stops_or_claiming_fails() {
        let (queue, done, shutdown) = (Queue::of(9), AtomicUsize::new(0), CancellationToken::new());
        let run = async |_| {
            shutdown.cancel();
            tokio::task::yield_now().await;
            done.fetch_add(1, Ordering::Relaxed);
        };
        assert_eq!(drain(3, &shutdown, async |limit| Ok::<_, Gone>(queue.claim(limit)), run).await, Ok(3));
        assert_eq!((done.load(Ordering::Relaxed), queue.0.lock().unwrap().len()), (3, 6));

        let calls = AtomicUsize::new(0);
        let claim = async |_| match calls.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(vec![1, 2]),
            _ => Err(Gone),
        };
        let run = async |_| {
            tokio::task::yield_now().await;
            done.fetch_add(1, Ordering::Relaxed);
        };
        let failed = drain(4, &CancellationToken::new(), claim, run).await;
        assert_eq!((failed, done.into_inner()), (Err(Gone), 5));
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pause = |tries| backoff(tries, Duration::from_secs(30), Duration::from_mins(10)).as_secs();
        assert_eq!([0, 1, 2, 3, 4, 5, 6, i32::MAX].map(pause), [30, 30, 60, 120, 240, 480, 600, 600]);
    }
}
