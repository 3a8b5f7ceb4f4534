//! Handling events in Postgres: their effects, the note that they were handled and what is published because of
//! them are one commit.

mod dead_letters;
mod inbox;
mod route;

use std::future::Future;

use chassis::context::Trace;
use contracts::events::{Event, Fields};
use sqlx::{PgPool, PgTransaction};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    HandlerError, Incoming, Outbox, Outcomes, Policy, Runner, StreamHandler,
    runner::{DeadLetter, guarded, handle_all},
};
use route::{Applied, HandlerContext, Route, Typed};

/// An event as its handler gets it: decoded, with its identity and the trace that it belongs to.
#[derive(Debug)]
pub struct Received<E> {
    /// Identifies the event through every redelivery.
    pub event_id: Uuid,
    /// What follows from the event is published as part of this.
    pub trace: Trace,
    /// The payload. What cannot be decoded never gets here: it is a dead letter at once.
    pub event: E,
}

/// What preparing a batch comes to: one result per event, or why none could be prepared.
pub type PreparedBatch<P> = Result<Vec<Result<P, HandlerError>>, HandlerError>;

/// How an application handles the events of a type: as many at once as there are, one if nothing else waits.
///
/// Read them, load what they concern in one statement with the rows locked in the order of their ids, decide about each in
/// memory, write with one statement per table. Delivery is at-least-once: `prepare` must bear being repeated, `apply`
/// leaves nothing behind when it fails.
pub trait Handle<E: Event>: Send + Sync + 'static {
    /// What `prepare` hands to `apply` for an event.
    type Prepared: Default + Send;
    /// Whether `prepare` does anything. Then the inbox is asked first, so that it is skipped for what was handled before.
    const PREPARES: bool = false;

    /// Calls to other services, outside of the transaction. Returns one result per event, in the same order; an event
    /// whose preparation fails has that as its outcome, and its neighbours go on.
    fn prepare(&self, events: &[Received<E>]) -> impl Future<Output = PreparedBatch<Self::Prepared>> + Send {
        let nothing = events.iter().map(|_| Ok(Self::Prepared::default())).collect();
        async { Ok(nothing) }
    }

    /// The effects of events that were not handled before, in the order of the stream. The consumer commits them together
    /// with the note that they were handled. Returns one outcome per event, in the same order.
    ///
    /// What is written for the others is committed beside a failed event, so nothing is written for that one. An error of
    /// the whole rolls everything back; the batch is then halved, so that only the culprit fails.
    fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Received<E>],
        prepared: Vec<Self::Prepared>,
    ) -> impl Future<Output = Result<Outcomes, HandlerError>> + Send;

    /// Runs after the commit and before anything is published because of it: for what is kept in memory. Some of the
    /// events may have failed.
    fn committed(&self, events: &[Received<E>]) {
        let _ = events;
    }
}

/// What became of an event that was handed to [`Consumer::deliver`].
#[derive(Debug)]
pub enum Delivered {
    /// Its effects are committed, with the row of the inbox that makes a repetition a no-op.
    Applied,
    /// It was handled before; nothing was done.
    AlreadyApplied,
    /// The consumer has no handler for the stream.
    NotSubscribed,
    /// Nothing was committed. The error says whether another try makes sense.
    Failed(HandlerError),
}

/// The events that a service follows, each with its handler: reads like a routing table.
///
/// ```ignore
/// Consumer::new(groups::THING, app, pool, outbox).on::<ThingHappened>().on::<ThingCounted>()
/// ```
pub struct Consumer<A> {
    context: HandlerContext<A>,
    routes: Vec<Box<dyn Route<A>>>,
    policy: Policy,
}

impl<A: Send + Sync + 'static> Consumer<A> {
    /// A consumer that follows nothing yet. `outbox` is woken after every commit.
    pub fn new(group: &'static str, app: A, pool: PgPool, outbox: Outbox) -> Self {
        Self {
            context: HandlerContext { group, app, pool, outbox },
            routes: Vec::new(),
            policy: Policy::default(),
        }
    }

    /// Adds the handler of `E`, and the stream of `E` to those that are consumed.
    #[must_use]
    pub fn on<E: Event>(mut self) -> Self
    where
        A: Handle<E>,
    {
        self.routes.push(Box::new(Typed::<E>::default()));
        self
    }

    /// Other times and bounds than the usual ones.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Where effects, inbox and outbox are.
    pub(crate) fn storage(&self) -> (&PgPool, &Outbox) {
        (&self.context.pool, &self.context.outbox)
    }

    /// Reads and handles until `shutdown`, then finishes what is in hand.
    pub async fn run(self, redis: redis::Client, shutdown: CancellationToken) {
        let (group, policy) = (self.context.group, self.policy.clone());
        Runner::new(group, self).policy(policy).run(redis, shutdown).await;
    }

    /// Handles one entry as [`Self::run`] does, but for the reading, waiting and acknowledging: for tests.
    pub async fn deliver(&self, stream: &str, fields: &Fields) -> Delivered {
        let Some(route) = self.route(stream) else { return Delivered::NotSubscribed };
        let batch = [Incoming::from(fields)];
        let handling = route.handle(&self.context, &batch);
        let outcomes = guarded(self.context.group, stream, &batch, self.policy.deadline, handling).await;
        match outcomes.and_then(|mut outcomes| outcomes.swap_remove(0)) {
            Ok(Applied::Now) => Delivered::Applied,
            Ok(Applied::Before) => Delivered::AlreadyApplied,
            Err(fail) => Delivered::Failed(fail),
        }
    }

    /// Handles entries of a stream together, as [`Self::run`] does, but for the reading, waiting and acknowledging: for tests.
    pub async fn deliver_all(&self, stream: &str, batch: &[&Fields]) -> Outcomes {
        handle_all(self, self.context.group, stream, batch, self.policy.deadline).await
    }

    fn route(&self, stream: &str) -> Option<&dyn Route<A>> {
        self.routes.iter().find(|route| route.stream() == stream).map(AsRef::as_ref)
    }
}

impl<A: Send + Sync + 'static> StreamHandler for Consumer<A> {
    fn streams(&self) -> Vec<&'static str> {
        self.routes.iter().map(|route| route.stream()).collect()
    }

    async fn handle(&self, stream: &str, batch: &[Incoming<'_>]) -> Result<Outcomes, HandlerError> {
        let route = self.route(stream);
        let route = route.ok_or_else(|| HandlerError::reject(format!("{stream} is not followed")))?;
        let outcomes = route.handle(&self.context, batch).await?;
        Ok(outcomes.into_iter().map(|outcome| outcome.map(drop)).collect())
    }

    async fn keep_dead_letter(&self, dead_letter: &DeadLetter<'_>) -> Result<(), HandlerError> {
        Ok(dead_letters::insert(&self.context.pool, self.context.group, dead_letter).await?)
    }
}
