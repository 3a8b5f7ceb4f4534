//! Publishing as part of a transaction.

use std::sync::Arc;

use chassis::{
    context::{self, Trace},
    database::commit,
};
use contracts::events::{Envelope, Event, Meta};
use serde_json::Value;
use sqlx::PgTransaction;
use time::OffsetDateTime;
use tokio::sync::{Notify, futures::Notified};
use uuid::Uuid;

/// Appends an event to the outbox, as part of the current trace. It is published if and only if `tx` commits; commit with
/// [`Outbox::commit`], so that it is published at once.
pub async fn append<E: Event>(tx: &mut PgTransaction<'_>, event: E) -> sqlx::Result<()> {
    append_all(tx, [(context::current(), event)]).await.map(drop)
}

/// Appends many events of one type in one statement, each as part of the trace of its own cause. Returns their rows, by
/// which [`GroupProgress`](crate::GroupProgress) knows whether they were read.
pub async fn append_all<E: Event>(
    tx: &mut PgTransaction<'_>,
    events: impl IntoIterator<Item = (Trace, E)>,
) -> sqlx::Result<Vec<i64>> {
    let fields = events.into_iter().map(|(trace, event)| fields(trace, event));
    let fields: Vec<Value> = fields.collect::<Result<_, _>>().map_err(|e| sqlx::Error::Encode(e.into()))?;
    if fields.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar!(
        "insert into messaging.outbox (stream, fields) select $1, fields from unnest($2::jsonb[]) as fields
         returning id",
        E::STREAM.name,
        &fields,
    )
    .fetch_all(&mut **tx)
    .await
}

fn fields<E: Event>(trace: Trace, event: E) -> serde_json::Result<Value> {
    let meta = Meta {
        event_id: Uuid::now_v7(),
        occurred_at: OffsetDateTime::now_utc(),
        correlation_id: trace.correlation_id,
        traceparent: trace.traceparent,
    };
    serde_json::to_value(Envelope { meta, event }.to_fields()?)
}

/// What a service holds to have its relay woken. Clones wake the same relay.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    wake: Arc<Notify>,
}

impl Outbox {
    /// Commits, then signals the relay, so that events leave at once and not at its next look.
    #[track_caller]
    pub fn commit(&self, tx: PgTransaction<'_>) -> impl Future<Output = sqlx::Result<()>> + Send {
        let committed = commit(tx);
        async {
            committed.await?;
            self.wake();
            Ok(())
        }
    }

    /// Signals the relay, for transactions that were committed elsewhere.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends at the next wake, or at once if there was one since the last.
    pub(crate) fn woken(&self) -> Notified<'_> {
        self.wake.notified()
    }
}
