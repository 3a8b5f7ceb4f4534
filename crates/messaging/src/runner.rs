//! The Redis side of consuming: reading, slots, waiting, claiming, dead letters. It knows nothing of Postgres.
//!
//! A service that keeps its state elsewhere implements [`StreamHandler`] and runs a [`Runner`] itself. It must then see to
//! it that an event has its effects once, as the inbox does for [`Consumer`](crate::Consumer).

mod dead_letter;
mod group;
mod guard;
mod reader;
mod retry;
mod stream_worker;
mod work;

use std::{future::Future, sync::Arc, time::Duration};

use chassis::context::Trace;
use contracts::events::Fields;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use dead_letter::DeadLetter;
pub(crate) use guard::guarded;
use guard::process_span;
pub(crate) use work::{handle_all, one_each};

use crate::{HandlerError, Outcomes};
use stream_worker::StreamWorker;

/// An entry of a stream that is to be handled.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The names and values of the entry, as the relay wrote them.
    pub fields: &'a Fields,
    /// The place of handling it in the trace of its cause: what follows from it is published with this.
    pub trace: Trace,
}

impl<'a> From<&'a Fields> for Incoming<'a> {
    /// An entry that is handled without a span for a collector of traces.
    fn from(fields: &'a Fields) -> Self {
        let text = |name| fields.get(name).map(String::as_str);
        Self { fields, trace: Trace::continued(text("correlation_id"), text("traceparent")) }
    }
}

/// What handles the entries of some streams. An entry is acknowledged after `Ok`, and may come more than once.
pub trait StreamHandler: Send + Sync + 'static {
    /// The streams to consume, each by a worker of its own.
    fn streams(&self) -> Vec<&'static str>;

    /// Handles entries of a stream and returns one outcome for each, in their order. An error of the whole means that
    /// none was handled: halves of the batch are then handed over, until the culprit is alone.
    fn handle(
        &self,
        stream: &str,
        batch: &[Incoming<'_>],
    ) -> impl Future<Output = Result<Outcomes, HandlerError>> + Send;

    /// Keeps a dead letter where no loss of Redis takes it away, before its entry is acknowledged. Called again if it
    /// fails, and possibly although it did not.
    ///
    /// A handler that has no such place keeps nothing: for as long as there is a copy on `<stream>:dlq`, the publisher
    /// keeps the row of the event, from which a dead letter that Redis lost is made anew.
    fn keep_dead_letter(
        &self,
        dead_letter: &DeadLetter<'_>,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send {
        let _ = dead_letter;
        async { Ok(()) }
    }
}

/// The times and bounds of a consumer.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Entries per read, and so the largest batch.
    pub count: usize,
    /// How long handling a batch may take.
    pub deadline: Duration,
    /// How long nobody may have shown an interest in an entry before it is taken over. Above the deadline. Whoever has it
    /// in hand shows some every quarter of that, and others look as often: 14 s at most by default.
    pub claim_after: Duration,
    /// The first wait of a failed entry.
    pub shortest_wait: Duration,
    /// The longest wait of a failed entry.
    pub longest_wait: Duration,
    /// How long an entry may wait for its cause, from the first try that any process made.
    pub not_yet_for: Duration,
    /// How often a bug is given another chance, at least.
    pub bug_tries: u32,
    /// How long a bug is given another chance, at least.
    pub bug_for: Duration,
    /// Waiting entries per stream that are kept in memory. More of them wait in Redis until they are claimed.
    pub delayed: usize,
    /// How long a consumer of the group may be idle, with nothing pending, before it is removed.
    pub idle_consumer_after: Duration,
    /// How long work in hand may take once the shutdown has begun.
    pub drain: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            count: 256,
            deadline: Duration::from_secs(10),
            claim_after: Duration::from_secs(11),
            shortest_wait: Duration::from_millis(100),
            longest_wait: Duration::from_secs(30),
            not_yet_for: Duration::from_hours(24),
            bug_tries: 10,
            bug_for: Duration::from_mins(10),
            delayed: 1_000,
            idle_consumer_after: Duration::from_hours(1),
            drain: Duration::from_secs(7),
        }
    }
}

/// Consumes the streams of a handler as a consumer of a consumer group.
pub struct Runner<E> {
    group: &'static str,
    handler: E,
    policy: Policy,
}

/// What the workers of a runner share.
struct Shared<E> {
    group: &'static str,
    /// Unique per process, so that nobody else's pending entries are taken for our own.
    consumer: String,
    handler: E,
    policy: Policy,
    redis: redis::Client,
}

impl<E: StreamHandler> Runner<E> {
    /// A runner with the usual [`Policy`].
    pub fn new(group: &'static str, handler: E) -> Self {
        Self { group, handler, policy: Policy::default() }
    }

    /// Other times and bounds than the usual ones.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Reads and handles until `shutdown`, then finishes what is in hand. Failures of Redis are waited out.
    pub async fn run(self, redis: redis::Client, shutdown: CancellationToken) {
        let consumer = format!("{}-{}", self.group, Uuid::now_v7().simple());
        let Self { group, handler, policy } = self;
        let shared = Arc::new(Shared { group, consumer, handler, policy, redis });
        let mut workers = JoinSet::new();
        for stream in shared.handler.streams() {
            workers.spawn(StreamWorker::new(shared.clone(), stream).run(shutdown.clone()));
        }
        workers.join_all().await;
    }
}
