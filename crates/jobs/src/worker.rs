//! The loop that runs jobs: claims what is due, runs as many at once as it may, and records how each ended.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chassis::{
    BoxError, Lifecycle,
    context::{self, Trace},
    error_chain,
    failpoint::around,
    group_commit::{Commit, GroupCommit},
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use sqlx::PgPool;
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    Backoff, Job, Outcome, Queue,
    store::{self, Claimed, Ended, Next},
    within_deadline,
};

/// How often to look for jobs that nobody of this process enqueued.
const POLL: Duration = Duration::from_secs(1);
/// How often to measure what waits.
const MEASURE: Duration = Duration::from_secs(5);

type RunKey<S> = Box<dyn Fn(Arc<S>, String) -> BoxFuture<'static, Result<Outcome, BoxError>> + Send + Sync>;

/// What the loop knows of a kind.
struct Kind<S> {
    concurrency: u16,
    backoff: Backoff,
    run: RunKey<S>,
}

/// Runs the jobs of a service: all kinds in one loop, so that an idle service asks its database one question per poll.
pub struct Worker<S> {
    pool: PgPool,
    queue: Queue,
    state: Arc<S>,
    kinds: BTreeMap<&'static str, Kind<S>>,
    /// Runs that end at the same time are recorded together.
    ended: GroupCommit<Ended>,
}

impl<S: Send + Sync + 'static> Worker<S> {
    /// A worker without kinds, woken by `queue`.
    pub fn new(pool: PgPool, queue: Queue, state: S) -> Self {
        Self { pool, queue, state: Arc::new(state), kinds: BTreeMap::new(), ended: GroupCommit::default() }
    }

    /// Runs the jobs of this kind as well.
    #[must_use]
    pub fn with<J: Job<State = S>>(mut self) -> Self {
        let run: RunKey<S> = Box::new(|state, key| {
            async move {
                match key.parse().ok() {
                    Some(key) => J::run(&state, key).await,
                    None => Ok(Outcome::Dead("the key is not one of this kind")),
                }
            }
            .boxed()
        });
        self.kinds.insert(J::KIND, Kind { concurrency: J::CONCURRENCY, backoff: J::BACKOFF, run });
        self
    }

    /// Starts the loop, and beside it what measures how much waits.
    pub fn start(self, lifecycle: &Lifecycle) {
        let kinds: Arc<[&str]> = self.kinds.keys().copied().collect();
        lifecycle.every("job-metrics", MEASURE, &(self.pool.clone(), kinds), async |(pool, kinds)| {
            measure(&pool, &kinds).await.map(|()| 0)
        });
        lifecycle.spawn("jobs", self.run(lifecycle.shutdown()));
    }

    /// Runs what is due until `shutdown`, then finishes what runs.
    ///
    /// Jobs are tasks of their own: one that holds a connection goes on while this loop waits for another one.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut free = self.slots();
        let worker = Arc::new(self);
        let mut running = JoinSet::new();
        while !shutdown.is_cancelled() {
            for (name, job) in worker.claim(&free).await {
                free.entry(name).and_modify(|slots| *slots = slots.saturating_sub(1));
                let worker = worker.clone();
                running.spawn(async move { worker.run_one(name, job).await });
            }
            // A kind without a free slot may have more to do: as soon as one comes free, it is asked for.
            let full = free.values().any(|slots| *slots == 0);
            let next_poll = sleep(POLL);
            tokio::pin!(next_poll);
            loop {
                tokio::select! {
                    Some(Ok(name)) = running.join_next() => {
                        free.entry(name).and_modify(|slots| *slots += 1);
                        // All that have ended meanwhile, so that the next claim is for as many.
                        while let Some(Ok(name)) = running.try_join_next() {
                            free.entry(name).and_modify(|slots| *slots += 1);
                        }
                        if full { break }
                    }
                    () = worker.queue.woken() => break,
                    () = &mut next_poll => break,
                    () = shutdown.cancelled() => break,
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Runs what is due now and returns how many jobs there were. For tests, which decide when something runs.
    pub async fn run_due(&self) -> usize {
        let claimed = self.claim(&self.slots()).await;
        let runs = claimed.into_iter().map(|(name, job)| self.run_one(name, job));
        runs.collect::<FuturesUnordered<_>>().count().await
    }

    /// How many jobs of each kind may run at the same time.
    fn slots(&self) -> BTreeMap<&'static str, u16> {
        self.kinds.iter().map(|(name, kind)| (*name, kind.concurrency)).collect()
    }

    /// Takes what is due, as far as there are free slots for its kind.
    async fn claim(&self, free: &BTreeMap<&'static str, u16>) -> Vec<(&'static str, Claimed)> {
        let free = free.iter().filter(|(_, slots)| **slots > 0);
        let (names, slots): (Vec<&str>, Vec<i64>) =
            free.map(|(name, slots)| (*name, i64::from(*slots))).unzip();
        if names.is_empty() {
            return Vec::new();
        }
        let claimed = store::claim(&self.pool, &names, &slots).await.unwrap_or_else(|error| {
            tracing::warn!(error = error_chain(&error), "jobs could not be claimed: trying again");
            Vec::new()
        });
        let known = claimed.into_iter().filter_map(|job| {
            let (name, _) = self.kinds.get_key_value(job.kind.as_str())?;
            Some((*name, job))
        });
        known.collect()
    }

    /// Runs one job and records how it ended. If that cannot be recorded, the job runs again after its lease.
    async fn run_one(&self, name: &'static str, job: Claimed) -> &'static str {
        let Some(kind) = self.kinds.get(name) else { return name };
        let run = around("running", name, (kind.run)(self.state.clone(), job.key.clone()));
        let run = AssertUnwindSafe(context::scope(Trace::start(), within_deadline(run))).catch_unwind();
        let outcome = match run.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(timed_out)) => Err(timed_out.into()),
            Err(_) => Err("it panicked".into()),
        };
        let label = match &outcome {
            Ok(Outcome::Dead(_)) => "dead",
            Ok(_) => "ok",
            Err(_) => "retry",
        };
        metrics::counter!("jobs_runs_total", "kind" => name, "outcome" => label).increment(1);
        let (key, next) = (job.key.clone(), next(kind, &job, outcome));
        let recording = self.ended.submit(&self.pool, Ended { job, next });
        if let Err(error) = around("recording the end of", name, recording).await {
            let error = error_chain(&error);
            tracing::warn!(kind = name, key, error, "the end of a job could not be recorded: it runs again");
        }
        name
    }
}

impl Commit for Ended {
    type State = PgPool;
    type Reply = ();
    type Error = sqlx::Error;

    async fn commit(pool: &PgPool, group: &[Self]) -> sqlx::Result<Vec<()>> {
        store::record(pool, &group.iter().collect::<Vec<_>>()).await?;
        Ok(vec![(); group.len()])
    }
}

/// What becomes of a job whose run has ended in this way.
fn next<S>(kind: &Kind<S>, job: &Claimed, outcome: Result<Outcome, BoxError>) -> Next {
    let Claimed { kind: name, key, tries, .. } = job;
    let pause = || kind.backoff.after(u32::try_from(*tries).unwrap_or_default());
    match outcome {
        Ok(Outcome::Done) => Next::Finish,
        Ok(Outcome::Again(delay)) => Next::Repeat(delay),
        Ok(Outcome::Later) => Next::Retry(pause(), None),
        Ok(Outcome::Dead(reason)) => {
            tracing::error!(kind = name, key, tries, reason, "job given up: a person has to see to it");
            Next::Dead(reason.to_owned())
        }
        Err(error) => {
            let error = error_chain(&*error);
            tracing::warn!(kind = name, key, tries, error, "job failed, trying again later");
            Next::Retry(pause(), Some(error))
        }
    }
}

async fn measure(pool: &PgPool, kinds: &[&str]) -> sqlx::Result<()> {
    for waiting in store::backlog(pool, kinds).await? {
        let gauge = |name: &'static str| metrics::gauge!(name, "kind" => waiting.kind.clone());
        gauge("jobs_due").set(u32::try_from(waiting.due).unwrap_or(u32::MAX));
        gauge("jobs_oldest_seconds").set(waiting.oldest_seconds);
        gauge("jobs_tries").set(waiting.tries);
        gauge("jobs_dead").set(u32::try_from(waiting.dead).unwrap_or(u32::MAX));
    }
    Ok(())
}
