//! One row of the routing table: decodes, consults the inbox, calls the handler, commits.

use std::marker::PhantomData;

use contracts::events::{Envelope, Event, Fields};
use futures::future::BoxFuture;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use super::{Handle, HandleBatch, inbox};
use crate::{HandlerError, Outbox, Outcomes, Subscription, runner::one_each};

/// What every route works with.
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

pub(super) trait Route<A>: Send + Sync {
    fn source(&self) -> Subscription;

    fn one<'a>(
        &'a self,
        context: &'a HandlerContext<A>,
        fields: &'a Fields,
    ) -> BoxFuture<'a, Result<Applied, HandlerError>>;

    fn many<'a>(
        &'a self,
        context: &'a HandlerContext<A>,
        batch: &'a [&'a Fields],
    ) -> BoxFuture<'a, Result<Outcomes, HandlerError>>;
}

/// An event that is handled alone.
pub(super) struct Single<E>(PhantomData<fn() -> E>);

/// An event that is handled together with its neighbours.
pub(super) struct Batched<E>(PhantomData<fn() -> E>);

impl<E> Default for Single<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<E> Default for Batched<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<E: Event, A: Handle<E>> Route<A> for Single<E> {
    fn source(&self) -> Subscription {
        Subscription { stream: E::STREAM.name, batch: false }
    }

    fn one<'a>(
        &'a self,
        context: &'a HandlerContext<A>,
        fields: &'a Fields,
    ) -> BoxFuture<'a, Result<Applied, HandlerError>> {
        Box::pin(apply_one::<E, A>(context, fields))
    }

    fn many<'a>(
        &'a self,
        context: &'a HandlerContext<A>,
        batch: &'a [&'a Fields],
    ) -> BoxFuture<'a, Result<Outcomes, HandlerError>> {
        Box::pin(async move {
            let mut outcomes = Outcomes::with_capacity(batch.len());
            for fields in batch {
                outcomes.push(apply_one::<E, A>(context, fields).await.map(drop));
            }
            Ok(outcomes)
        })
    }
}

impl<E: Event, A: HandleBatch<E>> Route<A> for Batched<E> {
    fn source(&self) -> Subscription {
        Subscription { stream: E::STREAM.name, batch: true }
    }

    fn one<'a>(
        &'a self,
        context: &'a HandlerContext<A>,
        fields: &'a Fields,
    ) -> BoxFuture<'a, Result<Applied, HandlerError>> {
        Box::pin(async move {
            let outcome = apply_many::<E, A>(context, &[fields]).await?.pop();
            outcome.unwrap_or_else(|| Err(HandlerError::bug("no outcome")))
        })
    }

    fn many<'a>(
        &'a self,
        context: &'a HandlerContext<A>,
        batch: &'a [&'a Fields],
    ) -> BoxFuture<'a, Result<Outcomes, HandlerError>> {
        Box::pin(async move {
            let outcomes = apply_many::<E, A>(context, batch).await?;
            Ok(outcomes.into_iter().map(|outcome| outcome.map(drop)).collect())
        })
    }
}

async fn apply_one<E: Event, A: Handle<E>>(
    context: &HandlerContext<A>,
    fields: &Fields,
) -> Result<Applied, HandlerError> {
    let event = Envelope::<E>::from_fields(fields)?;
    let id = event.meta.event_id;
    if inbox::knows(&context.pool, context.group, id).await? {
        return Ok(Applied::Before);
    }
    let prepared = context.app.prepare(&event).await?;
    let mut tx = context.pool.begin().await?;
    if inbox::enter(&mut tx, context.group, &[id]).await?.is_empty() {
        return Ok(Applied::Before);
    }
    context.app.apply(&mut tx, event, prepared).await?;
    context.outbox.commit(tx).await?;
    Ok(Applied::Now)
}

async fn apply_many<E: Event, A: HandleBatch<E>>(
    context: &HandlerContext<A>,
    batch: &[&Fields],
) -> Result<Vec<Result<Applied, HandlerError>>, HandlerError> {
    let decoded: Vec<_> = batch.iter().map(|fields| Envelope::<E>::from_fields(fields)).collect();
    let ids: Vec<Uuid> = decoded.iter().flatten().map(|event| event.meta.event_id).collect();
    let mut tx = context.pool.begin().await?;
    let mut new = inbox::enter(&mut tx, context.group, &ids).await?;
    let (mut outcomes, mut events, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for (place, decoded) in decoded.into_iter().enumerate() {
        outcomes.push(decoded.map_err(HandlerError::from).map(|event| {
            // Removing keeps the first of two deliveries that share a batch.
            if new.remove(&event.meta.event_id) {
                events.push(event);
                places.push(place);
            }
            Applied::Before
        }));
    }
    let applied = apply_new(context, tx, &events).await?;
    for (place, outcome) in places.into_iter().zip(applied) {
        outcomes[place] = outcome.map(|()| Applied::Now);
    }
    Ok(outcomes)
}

/// Applies events whose inbox rows are part of `tx`, and commits what came of those that did not fail.
async fn apply_new<E: Event, A: HandleBatch<E>>(
    context: &HandlerContext<A>,
    mut tx: PgTransaction<'_>,
    events: &[Envelope<E>],
) -> Result<Outcomes, HandlerError> {
    if events.is_empty() {
        return Ok(Outcomes::new());
    }
    let outcomes = one_each(context.app.apply_batch(&mut tx, events).await?, events.len())?;
    let failed = events.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_err());
    let failed: Vec<Uuid> = failed.map(|(event, _)| event.meta.event_id).collect();
    if failed.len() < events.len() {
        inbox::withdraw(&mut tx, context.group, &failed).await?;
        context.outbox.commit(tx).await?;
    }
    Ok(outcomes)
}
