//! How a process ends: at a signal, or because one of its tasks did.
//!
//! A soft token says "take no more work"; what is in hand is finished, within a grace. A task that ends before it was
//! asked to is a fault: the process stops with a non-zero code, and whoever supervises it starts it afresh.

use std::{
    error::Error,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::FutureExt;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Notify,
    task::JoinHandle,
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    context::{self, Trace},
    error_chain,
};

/// How long work in hand may take to finish once the process was asked to stop.
pub const GRACE: Duration = Duration::from_secs(10);

/// The tasks of a process and its two ways to end. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// Cancelled once: no more work is taken from then on.
    soft: CancellationToken,
    /// Everything that was spawned, so that the end can wait for it.
    tasks: TaskTracker,
    /// Set when a task ended that should have run on.
    failed: Arc<AtomicBool>,
}

impl Lifecycle {
    /// A process that has just started: no task runs, nobody has asked it to stop.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when no more work should be taken.
    pub fn shutdown(&self) -> CancellationToken {
        self.soft.clone()
    }

    /// Starts a task that runs until [`Self::shutdown`] is cancelled. If it returns or panics before that, the whole
    /// process stops.
    #[allow(clippy::disallowed_methods, reason = "the one place that spawns")]
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let lifecycle = self.clone();
        self.tasks.spawn(async move {
            let outcome = std::panic::AssertUnwindSafe(task).catch_unwind().await;
            if outcome.is_err() || !lifecycle.soft.is_cancelled() {
                tracing::error!(task = name, panicked = outcome.is_err(), "a task ended early: stopping");
                lifecycle.failed.store(true, Ordering::Relaxed);
                lifecycle.soft.cancel();
            }
        });
    }

    /// Starts a worker: it does a batch of `work` after the other until one is empty, and then waits for `period`. `work`
    /// says how much it did; after an error it is tried again at the next period. Each batch has a trace of its own.
    pub fn every<A, W, R, E>(&self, name: &'static str, period: Duration, state: &A, work: W)
    where
        A: Clone + Send + Sync + 'static,
        W: Fn(A) -> R + Send + Sync + 'static,
        R: Future<Output = Result<usize, E>> + Send,
        E: Error + Send + 'static,
    {
        self.every_or_woken(name, period, Arc::default(), state, work);
    }

    /// The same for work that somebody waits for: `wake` ends a wait early.
    pub fn every_or_woken<A, W, R, E>(
        &self,
        name: &'static str,
        period: Duration,
        wake: Arc<Notify>,
        state: &A,
        work: W,
    ) where
        A: Clone + Send + Sync + 'static,
        W: Fn(A) -> R + Send + Sync + 'static,
        R: Future<Output = Result<usize, E>> + Send,
        E: Error + Send + 'static,
    {
        let (state, shutdown) = (state.clone(), self.shutdown());
        self.spawn(name, async move {
            while !shutdown.is_cancelled() {
                match context::scope(Trace::start(), work(state.clone())).await {
                    Ok(0) => {}
                    Ok(_) => continue,
                    Err(error) => {
                        tracing::warn!(
                            worker = name,
                            error = error_chain(&error),
                            "interrupted, trying again later"
                        );
                    }
                }
                tokio::select! {
                    () = wake.notified() => {}
                    () = sleep(period) => {}
                    () = shutdown.cancelled() => {}
                }
            }
        });
    }

    /// Starts a piece of work, in the trace of whoever asks for it, that is finished even if they go away. The end of the
    /// process waits for it.
    pub fn finish<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.tasks.spawn(context::scope(context::current(), work))
    }

    /// Waits for SIGTERM, SIGINT or a failed task, then for the tasks to finish, at most [`GRACE`].
    ///
    /// Returns whether everything ended as it should.
    ///
    /// # Errors
    /// If the signal handlers cannot be installed.
    pub async fn run_to_end(&self) -> std::io::Result<bool> {
        tokio::select! {
            asked = signalled() => asked?,
            () = self.soft.cancelled() => {}
        }
        Ok(self.stop().await)
    }

    /// Takes no more work and waits for what is in hand, at most [`GRACE`].
    pub async fn stop(&self) -> bool {
        self.soft.cancel();
        self.tasks.close();
        let drained = tokio::time::timeout(GRACE, self.tasks.wait()).await.is_ok();
        if !drained {
            tracing::warn!(left = self.tasks.len(), "some work did not finish in time");
        }
        drained && !self.failed.load(Ordering::Relaxed)
    }
}

/// Waits for SIGTERM or SIGINT.
///
/// # Errors
/// If the signal handlers cannot be installed.
pub async fn signalled() -> std::io::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => tracing::info!("SIGTERM: stopping"),
        _ = int.recv() => tracing::info!("SIGINT: stopping"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test]
    async fn work_in_hand_is_finished_at_shutdown() {
        let lifecycle = Lifecycle::new();
        let (shutdown, done) = (lifecycle.shutdown(), Arc::new(AtomicBool::new(false)));
        let finished = done.clone();
        lifecycle.spawn("worker", async move {
            shutdown.cancelled().await;
            tokio::task::yield_now().await;
            finished.store(true, Ordering::Relaxed);
        });
        assert!(lifecycle.stop().await);
        assert!(done.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn work_goes_on_although_nobody_waits_for_its_outcome() {
        let lifecycle = Lifecycle::new();
        let done = Arc::new(AtomicBool::new(false));
        let finished = done.clone();
        drop(lifecycle.finish(async move {
            tokio::task::yield_now().await;
            finished.store(true, Ordering::Relaxed);
        }));
        assert!(lifecycle.stop().await, "its end is no fault");
        assert!(done.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_worker_goes_on_until_there_is_nothing_and_when_it_is_woken() {
        let (lifecycle, wake, batches) = (Lifecycle::new(), Arc::<Notify>::default(), Arc::default());
        let work = async |batches: Arc<AtomicUsize>| {
            let before = batches.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(usize::from(before < 2))
        };
        lifecycle.every_or_woken("worker", Duration::from_hours(1), wake.clone(), &batches, work);
        let done = async |wanted| {
            while batches.load(Ordering::Relaxed) < wanted {
                tokio::task::yield_now().await;
            }
        };
        done(3).await;
        wake.notify_one();
        done(4).await;
        assert!(lifecycle.stop().await);
        assert_eq!(batches.load(Ordering::Relaxed), 4, "two with something, one without, one when woken");
    }

    #[tokio::test]
    async fn a_worker_survives_an_error() {
        let (lifecycle, batches) = (Lifecycle::new(), Arc::<AtomicUsize>::default());
        lifecycle.every("worker", Duration::from_millis(1), &batches, async |batches: Arc<AtomicUsize>| {
            batches.fetch_add(1, Ordering::Relaxed);
            Err(std::io::Error::other("down"))
        });
        while batches.load(Ordering::Relaxed) < 3 {
            tokio::task::yield_now().await;
        }
        assert!(lifecycle.stop().await);
    }

    #[tokio::test]
    async fn a_task_that_ends_early_stops_the_process_as_failed() {
        let returned = Lifecycle::new();
        returned.spawn("returns", async {});
        assert!(!returned.run_to_end().await.unwrap());

        let panicked = Lifecycle::new();
        panicked.spawn("panics", async { panic!("a bug") });
        assert!(!panicked.run_to_end().await.unwrap());
    }
}
