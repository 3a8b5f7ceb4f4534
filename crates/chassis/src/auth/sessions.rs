//! The sessions that ended lately. Every process follows the stream of [`SessionEnded`] on its own, without a consumer
//! group, so that an ended session is refused everywhere within seconds.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use contracts::events::{Envelope, Event, Fields, SessionEnded};
use redis::{
    AsyncConnectionConfig, RedisResult,
    aio::MultiplexedConnection,
    streams::{StreamReadOptions, StreamReadReply},
};
use time::OffsetDateTime;

use crate::{Lifecycle, error_chain, health::Health};

/// How long an ended session is remembered: its last token has expired by then (15 min and the leeway).
const KEEP: Duration = Duration::from_mins(16);
/// How long one read waits for new entries.
const BLOCK: Duration = Duration::from_secs(3);
/// How long to wait before connecting again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long an answer may be late before the connection is lost.
const LOST_AFTER: Duration = Duration::from_secs(2);
/// The name under which the list shows in readiness.
const HEALTH: &str = "sessions";

/// The sessions that ended lately. Clones share the list. While Redis is away the last known list serves.
#[derive(Debug, Clone, Default)]
pub struct Sessions {
    ended: Arc<RwLock<HashMap<String, Instant>>>,
}

impl Sessions {
    /// Whether a session is known to have ended.
    pub fn has_ended(&self, sid: &str) -> bool {
        self.ended.read().unwrap_or_else(PoisonError::into_inner).contains_key(sid)
    }

    /// Refuses the tokens of a session from now on, for as long as the last of them lives.
    pub fn end(&self, sid: String) {
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, since| since.elapsed() < KEEP);
        ended.insert(sid, Instant::now());
    }

    /// Follows the stream from now on. The process is not ready before the list was read once; afterwards the list
    /// serves even while Redis is away.
    pub fn follow(&self, redis: redis::Client, health: &Health, lifecycle: &Lifecycle) {
        let (sessions, health, shutdown) = (self.clone(), health.clone(), lifecycle.shutdown());
        health.set(HEALTH, false);
        lifecycle.spawn(HEALTH, async move {
            let mut last = since(KEEP);
            while !shutdown.is_cancelled() {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    Err(error) = sessions.read(&redis, &health, &mut last) => {
                        tracing::debug!(error = error_chain(&error), "ended sessions cannot be read; trying again");
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
        });
    }

    async fn read(&self, redis: &redis::Client, health: &Health, last: &mut String) -> RedisResult<()> {
        // Longer than a read may wait: a Redis that went away without a word is given up.
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(BLOCK + LOST_AFTER));
        let mut connection = redis.get_multiplexed_async_connection_with_config(&config).await?;
        // What was read before a restart of Redis may be there again under older ids: adding it twice is harmless.
        *last = since(KEEP);
        self.read_on(&mut connection, last, None).await?;
        health.set(HEALTH, true);
        loop {
            self.read_on(&mut connection, last, Some(BLOCK)).await?;
        }
    }

    async fn read_on(
        &self,
        connection: &mut MultiplexedConnection,
        last: &mut String,
        block: Option<Duration>,
    ) -> RedisResult<()> {
        let millis = block.and_then(|block| usize::try_from(block.as_millis()).ok());
        let options = millis
            .map_or_else(StreamReadOptions::default, |millis| StreamReadOptions::default().block(millis));
        let mut command = redis::cmd("XREAD");
        command.arg(&options).arg("STREAMS").arg(SessionEnded::STREAM.name).arg(last.as_str());
        let reply: Option<StreamReadReply> = command.query_async(connection).await?;
        for entry in reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids) {
            *last = entry.id;
            let fields: Fields = entry
                .map
                .into_iter()
                .filter_map(|(name, value)| Some((name, redis::from_redis_value(value).ok()?)))
                .collect();
            match Envelope::<SessionEnded>::from_fields(&fields) {
                Ok(envelope) => self.end(envelope.event.sid),
                Err(error) => {
                    tracing::warn!(
                        error = error_chain(&error),
                        "passed over an entry that is no SessionEnded"
                    );
                }
            }
        }
        Ok(())
    }
}

fn since(age: Duration) -> String {
    let then = OffsetDateTime::now_utc() - age;
    format!("{}-0", then.unix_timestamp_nanos() / 1_000_000)
}
