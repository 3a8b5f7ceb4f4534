//! One row of the routing table: decodes, consults the inbox, calls the handler, commits.

use std::marker::PhantomData;

use contracts::events::{Envelope, Event, Fields};
use futures::future::BoxFuture;
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use super::{Handle, HandleBatch, inbox};
use crate::{Fail, Outbox, Outcomes, Source, runner::one_each};

/// What every route works with.
pub(super) struct Desk<A> {
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
    fn source(&self) -> Source;

    fn one<'a>(&'a self, desk: &'a Desk<A>, fields: &'a Fields) -> BoxFuture<'a, Result<Applied, Fail>>;

    fn many<'a>(
        &'a self,
        desk: &'a Desk<A>,
        batch: &'a [&'a Fields],
    ) -> BoxFuture<'a, Result<Outcomes, Fail>>;
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
    fn source(&self) -> Source {
        Source { stream: E::STREAM.name, batch: false }
    }

    fn one<'a>(&'a self, desk: &'a Desk<A>, fields: &'a Fields) -> BoxFuture<'a, Result<Applied, Fail>> {
        Box::pin(apply_one::<E, A>(desk, fields))
    }

    fn many<'a>(
        &'a self,
        desk: &'a Desk<A>,
        batch: &'a [&'a Fields],
    ) -> BoxFuture<'a, Result<Outcomes, Fail>> {
        Box::pin(async move {
            let mut outcomes = Outcomes::with_capacity(batch.len());
            for fields in batch {
                outcomes.push(apply_one::<E, A>(desk, fields).await.map(drop));
            }
            Ok(outcomes)
        })
    }
}

impl<E: Event, A: HandleBatch<E>> Route<A> for Batched<E> {
    fn source(&self) -> Source {
        Source { stream: E::STREAM.name, batch: true }
    }

    fn one<'a>(&'a self, desk: &'a Desk<A>, fields: &'a Fields) -> BoxFuture<'a, Result<Applied, Fail>> {
        Box::pin(async move {
            let outcome = apply_many::<E, A>(desk, &[fields]).await?.pop();
            outcome.unwrap_or_else(|| Err(Fail::bug("no outcome")))
        })
    }

    fn many<'a>(
        &'a self,
        desk: &'a Desk<A>,
        batch: &'a [&'a Fields],
    ) -> BoxFuture<'a, Result<Outcomes, Fail>> {
        Box::pin(async move {
            let outcomes = apply_many::<E, A>(desk, batch).await?;
            Ok(outcomes.into_iter().map(|outcome| outcome.map(drop)).collect())
        })
    }
}

async fn apply_one<E: Event, A: Handle<E>>(desk: &Desk<A>, fields: &Fields) -> Result<Applied, Fail> {
    let event = Envelope::<E>::from_fields(fields)?;
    let id = event.meta.event_id;
    if inbox::knows(&desk.pool, desk.group, id).await? {
        return Ok(Applied::Before);
    }
    let prepared = desk.app.prepare(&event).await?;
    let mut tx = desk.pool.begin().await?;
    if inbox::enter(&mut tx, desk.group, &[id]).await?.is_empty() {
        return Ok(Applied::Before);
    }
    desk.app.apply(&mut tx, event, prepared).await?;
    desk.outbox.commit(tx).await?;
    Ok(Applied::Now)
}

async fn apply_many<E: Event, A: HandleBatch<E>>(
    desk: &Desk<A>,
    batch: &[&Fields],
) -> Result<Vec<Result<Applied, Fail>>, Fail> {
    let decoded: Vec<_> = batch.iter().map(|fields| Envelope::<E>::from_fields(fields)).collect();
    let ids: Vec<Uuid> = decoded.iter().flatten().map(|event| event.meta.event_id).collect();
    let mut tx = desk.pool.begin().await?;
    let mut new = inbox::enter(&mut tx, desk.group, &ids).await?;
    let (mut outcomes, mut events, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for (place, decoded) in decoded.into_iter().enumerate() {
        outcomes.push(decoded.map_err(Fail::from).map(|event| {
            // Removing keeps the first of two deliveries that share a batch.
            if new.remove(&event.meta.event_id) {
                events.push(event);
                places.push(place);
            }
            Applied::Before
        }));
    }
    let applied = apply_new(desk, tx, &events).await?;
    for (place, outcome) in places.into_iter().zip(applied) {
        outcomes[place] = outcome.map(|()| Applied::Now);
    }
    Ok(outcomes)
}

/// Applies events whose inbox rows are part of `tx`, and commits what came of those that did not fail.
async fn apply_new<E: Event, A: HandleBatch<E>>(
    desk: &Desk<A>,
    mut tx: PgTransaction<'_>,
    events: &[Envelope<E>],
) -> Result<Outcomes, Fail> {
    if events.is_empty() {
        return Ok(Outcomes::new());
    }
    let outcomes = one_each(desk.app.apply_batch(&mut tx, events).await?, events.len())?;
    let failed = events.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_err());
    let failed: Vec<Uuid> = failed.map(|(event, _)| event.meta.event_id).collect();
    if failed.len() < events.len() {
        inbox::withdraw(&mut tx, desk.group, &failed).await?;
        desk.outbox.commit(tx).await?;
    }
    Ok(outcomes)
}
