//! One row of the routing table: decodes, consults the inbox, calls the handler, commits.

use std::marker::PhantomData;

use contracts::events::{Envelope, Event, Fields};
use futures::future::BoxFuture;
use sqlx::PgPool;
use uuid::Uuid;

use super::{Handle, HandleBatch, inbox};
use crate::{Fail, Outbox, Source};

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

    fn many<'a>(&'a self, desk: &'a Desk<A>, batch: &'a [&'a Fields]) -> BoxFuture<'a, Result<(), Fail>>;
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

    fn many<'a>(&'a self, desk: &'a Desk<A>, batch: &'a [&'a Fields]) -> BoxFuture<'a, Result<(), Fail>> {
        Box::pin(async move {
            for fields in batch {
                apply_one::<E, A>(desk, fields).await?;
            }
            Ok(())
        })
    }
}

impl<E: Event, A: HandleBatch<E>> Route<A> for Batched<E> {
    fn source(&self) -> Source {
        Source { stream: E::STREAM.name, batch: true }
    }

    fn one<'a>(&'a self, desk: &'a Desk<A>, fields: &'a Fields) -> BoxFuture<'a, Result<Applied, Fail>> {
        Box::pin(async move { apply_many::<E, A>(desk, &[fields]).await })
    }

    fn many<'a>(&'a self, desk: &'a Desk<A>, batch: &'a [&'a Fields]) -> BoxFuture<'a, Result<(), Fail>> {
        Box::pin(async move { apply_many::<E, A>(desk, batch).await.map(drop) })
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

async fn apply_many<E: Event, A: HandleBatch<E>>(desk: &Desk<A>, batch: &[&Fields]) -> Result<Applied, Fail> {
    let mut events =
        batch.iter().map(|fields| Envelope::<E>::from_fields(fields)).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<Uuid> = events.iter().map(|event| event.meta.event_id).collect();
    let mut tx = desk.pool.begin().await?;
    let mut new = inbox::enter(&mut tx, desk.group, &ids).await?;
    // Removing keeps the first of two deliveries that share a batch.
    events.retain(|event| new.remove(&event.meta.event_id));
    if events.is_empty() {
        return Ok(Applied::Before);
    }
    desk.app.apply_batch(&mut tx, &events).await?;
    desk.outbox.commit(tx).await?;
    Ok(Applied::Now)
}
