//! What runs in a service that publishes and consumes events.

use chassis::ServiceContext;
use contracts::events::Stream;
use redis::RedisResult;
use sqlx::PgPool;

use crate::{Consumer, Outbox, Relay};

/// The Redis database of the streams.
const STREAMS_DB: i64 = 1;

/// Starts the relay of a service that publishes these streams and consumes nothing.
///
/// # Errors
/// If the address of Redis is none.
pub fn start_relay(
    context: &ServiceContext,
    service: &'static str,
    streams: &'static [Stream],
    pool: &PgPool,
    outbox: &Outbox,
) -> RedisResult<()> {
    let redis = context.common.redis.client(STREAMS_DB)?;
    let relay = Relay::new(service, pool.clone(), redis, outbox.clone(), streams)?;
    context.lifecycle.spawn("relay", relay.run(context.lifecycle.shutdown()));
    Ok(())
}

/// Starts the relay of a service that publishes these streams, and its consumer, on the same pool.
///
/// # Errors
/// If the address of Redis is none.
pub fn start<A: Send + Sync + 'static>(
    context: &ServiceContext,
    service: &'static str,
    streams: &'static [Stream],
    consumer: Consumer<A>,
) -> RedisResult<()> {
    let (pool, outbox) = consumer.storage();
    start_relay(context, service, streams, pool, outbox)?;
    let redis = context.common.redis.client(STREAMS_DB)?;
    context.lifecycle.spawn("consumer", consumer.run(redis, context.lifecycle.shutdown()));
    Ok(())
}
