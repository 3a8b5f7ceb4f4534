//! Events as a test gives and takes them.

use std::collections::BTreeMap;

use contracts::events::{Envelope, Event, Fields, Meta};
use messaging::{Consumer, Delivered};
use sqlx::{PgPool, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

/// An event as it would come from a stream, with an id of its own.
pub fn envelope<E: Event>(event: E) -> Envelope<E> {
    let event_id = Uuid::now_v7();
    let meta = Meta {
        event_id,
        occurred_at: OffsetDateTime::now_utc(),
        correlation_id: "test".to_owned(),
        traceparent: String::new(),
    };
    Envelope { meta, event }
}

/// Gives an event to a consumer by the path it takes in production, Redis left out.
pub async fn deliver<A: Send + Sync + 'static, E: Event>(consumer: &Consumer<A>, event: E) -> Delivered {
    redeliver(consumer, &envelope(event)).await
}

/// Gives the very same event once more.
pub async fn redeliver<A: Send + Sync + 'static, E: Event>(
    consumer: &Consumer<A>,
    envelope: &Envelope<E>,
) -> Delivered {
    let fields = envelope.to_fields().expect("events serialise");
    consumer.deliver(E::STREAM.name, &fields).await
}

/// The events of one type that were appended to the outbox, in order.
pub(crate) async fn published<E: Event>(pool: &PgPool) -> Vec<E> {
    let rows: Vec<Json<BTreeMap<String, String>>> =
        sqlx::query_scalar("select fields from messaging.outbox where stream = $1 order by id")
            .bind(E::STREAM.name)
            .fetch_all(pool)
            .await
            .expect("the outbox can be read");
    let decode =
        |fields: Fields| Envelope::<E>::from_fields(&fields).expect("what is published can be read").event;
    rows.into_iter().map(|Json(fields)| decode(fields)).collect()
}
