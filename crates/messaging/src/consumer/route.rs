//! One row of the routing table: decodes, consults the inbox, calls the handler, commits.

use std::marker::PhantomData;

use chassis::failpoint::around;
use contracts::events::{Envelope, Event};
use futures::future::BoxFuture;
use sqlx::PgPool;
use uuid::Uuid;

use super::{Handle, Received, inbox};
use crate::{HandlerError, Incoming, Outbox, runner::one_each};

/// A row that another transaction keeps locked delays a batch for so long, long enough for other batches to end. Then the
/// batch is halved, so that it delays only the events that need it.
const BEGIN: &str = "begin; set local lock_timeout = '250ms'";

pub(super) struct HandlerContext<A> {
    pub group: &'static str,
    pub app: A,
    pub pool: PgPool,
    pub outbox: Outbox,
}

/// Whether it took this delivery to apply an event.
pub(super) enum Applied {
    Now,
    Before,
}

/// One outcome per entry, in their order.
type Outcomes = Vec<Result<Applied, HandlerError>>;

pub(super) trait Route<A>: Send + Sync {
    fn stream(&self) -> &'static str;

    fn handle<'a>(
        &'a self,
        context: &'a HandlerContext<A>,
        batch: &'a [Incoming<'a>],
    ) -> BoxFuture<'a, Result<Outcomes, HandlerError>>;
}

/// The route of one type of event; what it knows of `E` is hidden behind [`Route`].
pub(super) struct Typed<E>(PhantomData<fn() -> E>);

impl<E> Default for Typed<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<E: Event, A: Handle<E>> Route<A> for Typed<E> {
    fn stream(&self) -> &'static str {
        E::STREAM.name
    }

    fn handle<'a>(
        &'a self,
        context: &'a HandlerContext<A>,
        batch: &'a [Incoming<'a>],
    ) -> BoxFuture<'a, Result<Outcomes, HandlerError>> {
        Box::pin(handle::<E, A>(context, batch))
    }
}

/// An event, with its place in the batch.
struct Placed<E, P> {
    place: usize,
    event: Received<E>,
    prepared: P,
}

async fn handle<E: Event, A: Handle<E>>(
    context: &HandlerContext<A>,
    batch: &[Incoming<'_>],
) -> Result<Outcomes, HandlerError> {
    let (mut outcomes, mut places, mut events) = (Outcomes::new(), Vec::new(), Vec::new());
    for (place, incoming) in batch.iter().enumerate() {
        outcomes.push(decode(incoming).map(|event| {
            places.push(place);
            events.push(event);
            Applied::Before
        }));
    }
    let prepared = prepare(context, &events).await?;
    let mut ready = Vec::with_capacity(events.len());
    for ((place, event), prepared) in places.into_iter().zip(events).zip(prepared) {
        match prepared {
            Ok(Some(prepared)) => ready.push(Placed { place, event, prepared }),
            Ok(None) => {}
            Err(fail) => outcomes[place] = Err(fail),
        }
    }
    for (place, outcome) in apply(context, ready).await? {
        outcomes[place] = outcome.map(|()| Applied::Now);
    }
    Ok(outcomes)
}

fn decode<E: Event>(incoming: &Incoming<'_>) -> Result<Received<E>, HandlerError> {
    let Envelope { meta, event } = Envelope::from_fields(incoming.fields)?;
    Ok(Received { event_id: meta.event_id, trace: incoming.trace.clone(), event })
}

/// Prepares each event; `None` for one that is known to have been handled.
async fn prepare<E: Event, A: Handle<E>>(
    context: &HandlerContext<A>,
    events: &[Received<E>],
) -> Result<Vec<Result<Option<A::Prepared>, HandlerError>>, HandlerError> {
    if !A::PREPARES {
        return Ok(events.iter().map(|_| Ok(Some(A::Prepared::default()))).collect());
    }
    let ids: Vec<Uuid> = events.iter().map(|event| event.event_id).collect();
    let known = inbox::known(&context.pool, context.group, &ids).await?;
    if ids.iter().all(|id| known.contains(id)) {
        return Ok(events.iter().map(|_| Ok(None)).collect());
    }
    let prepared = one_each(context.app.prepare(events).await?, events.len())?;
    let unless_known = |(id, prepared): (&Uuid, Result<_, _>)| {
        if known.contains(id) { Ok(None) } else { prepared.map(Some) }
    };
    Ok(ids.iter().zip(prepared).map(unless_known).collect())
}

/// Applies what was not handled before, and commits what came of the events that did not fail.
async fn apply<E: Event, A: Handle<E>>(
    context: &HandlerContext<A>,
    mut ready: Vec<Placed<E, A::Prepared>>,
) -> Result<Vec<(usize, Result<(), HandlerError>)>, HandlerError> {
    if ready.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = context.pool.begin_with(BEGIN).await?;
    let ids: Vec<Uuid> = ready.iter().map(|placed| placed.event.event_id).collect();
    let mut new = inbox::enter(&mut tx, context.group, &ids).await?;
    // Removing keeps the first of two deliveries that share a batch.
    ready.retain(|placed| new.remove(&placed.event.event_id));
    if ready.is_empty() {
        return Ok(Vec::new());
    }
    let (mut places, mut events, mut prepared) = (Vec::new(), Vec::new(), Vec::new());
    for placed in ready {
        places.push(placed.place);
        events.push(placed.event);
        prepared.push(placed.prepared);
    }
    let outcomes = one_each(context.app.apply(&mut tx, &events, prepared).await?, events.len())?;
    let failed = events.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_err());
    let failed: Vec<Uuid> = failed.map(|(event, _)| event.event_id).collect();
    if failed.len() < events.len() {
        if !failed.is_empty() {
            inbox::withdraw(&mut tx, context.group, &failed).await?;
        }
        around("the commit of", E::STREAM.name, tx.commit()).await?;
        context.app.committed(&events);
        context.outbox.wake();
    }
    Ok(places.into_iter().zip(outcomes).collect())
}
