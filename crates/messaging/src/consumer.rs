//! Handling events in Postgres: their effects, the note that they were handled and what is published because of
//! them are one commit.

mod dead_letters;
mod inbox;
mod route;

use std::future::Future;

use contracts::events::{Envelope, Event, Fields};
use sqlx::{PgPool, PgTransaction};
use tokio_util::sync::CancellationToken;

use crate::{
    HandlerError, Outbox, Outcomes, Policy, Runner, StreamHandler, Subscription,
    runner::{DeadLetter, Origin, guarded},
};
use route::{Applied, Batched, HandlerContext, Route, Single};

/// How an application handles an event.
///
/// Delivery is at-least-once: `prepare` must bear being repeated, `apply` leaves nothing behind when it fails.
pub trait Handle<E: Event>: Send + Sync + 'static {
    /// What `prepare` hands to `apply`.
    type Prepared: Default + Send;

    /// Calls to other services, outside of the transaction. Skipped when the event was handled before.
    fn prepare(
        &self,
        event: &Envelope<E>,
    ) -> impl Future<Output = Result<Self::Prepared, HandlerError>> + Send {
        let _ = event;
        async { Ok(Self::Prepared::default()) }
    }

    /// The effects. The runner commits them together with the note that the event was handled.
    fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        event: Envelope<E>,
        prepared: Self::Prepared,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// How an application handles many events at once.
pub trait HandleBatch<E: Event>: Send + Sync + 'static {
    /// The effects of the events that were not handled before, in the order of the stream. Returns one outcome per
    /// event, in the same order.
    ///
    /// What the handler writes for the others is committed beside a failed event, so it writes nothing for that one. An
    /// error of the whole rolls everything back; each event is then handled in a call of its own, so that only the
    /// culprit fails.
    fn apply_batch(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Envelope<E>],
    ) -> impl Future<Output = Result<Outcomes, HandlerError>> + Send;
}

/// What became of an event that was handed to [`Consumer::deliver`].
#[derive(Debug)]
pub enum Delivered {
    /// Its effects are committed.
    Applied,
    /// It was handled before; nothing was done.
    AlreadyApplied,
    /// No handler follows the stream.
    NotSubscribed,
    /// Nothing was committed.
    Failed(HandlerError),
}

/// The events that a service follows, each with its handler: reads like a routing table.
///
/// ```ignore
/// Consumer::new(groups::THING, app, pool, outbox).on::<ThingHappened>().on_batch::<ThingCounted>()
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

    /// Follows the stream of `E`, one event at a time in each slot.
    #[must_use]
    pub fn on<E: Event>(mut self) -> Self
    where
        A: Handle<E>,
    {
        self.routes.push(Box::new(Single::<E>::default()));
        self
    }

    /// Follows the stream of `E`, as many events at a time as a read brings.
    #[must_use]
    pub fn on_batch<E: Event>(mut self) -> Self
    where
        A: HandleBatch<E>,
    {
        self.routes.push(Box::new(Batched::<E>::default()));
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
        let origin = Origin { group: self.context.group, stream, fields };
        match guarded(origin, self.policy.deadline, route.one(&self.context, fields)).await {
            Ok(Applied::Now) => Delivered::Applied,
            Ok(Applied::Before) => Delivered::AlreadyApplied,
            Err(fail) => Delivered::Failed(fail),
        }
    }

    fn route(&self, stream: &str) -> Option<&dyn Route<A>> {
        self.routes.iter().find(|route| route.source().stream == stream).map(AsRef::as_ref)
    }

    fn followed(&self, stream: &str) -> Result<&dyn Route<A>, HandlerError> {
        self.route(stream).ok_or_else(|| HandlerError::reject(format!("{stream} is not followed")))
    }
}

impl<A: Send + Sync + 'static> StreamHandler for Consumer<A> {
    fn subscriptions(&self) -> Vec<Subscription> {
        self.routes.iter().map(|route| route.source()).collect()
    }

    async fn handle(&self, stream: &str, fields: &Fields) -> Result<(), HandlerError> {
        self.followed(stream)?.one(&self.context, fields).await.map(drop)
    }

    async fn handle_batch(&self, stream: &str, batch: &[&Fields]) -> Result<Outcomes, HandlerError> {
        self.followed(stream)?.many(&self.context, batch).await
    }

    async fn keep_dead_letter(&self, dead_letter: &DeadLetter<'_>) -> Result<(), HandlerError> {
        Ok(dead_letters::insert(&self.context.pool, self.context.group, dead_letter).await?)
    }
}
