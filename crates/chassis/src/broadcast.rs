//! Short texts for whoever listens, over Redis' publish and subscribe: each arrives at most once. They bring forward what a
//! listener would find out by itself a moment later; nothing may depend on them.

use std::time::Duration;

use futures::StreamExt;
use redis::{
    RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::time::{sleep, timeout};

use crate::{Lifecycle, error_chain};

/// How long a sender waits for Redis.
const DEADLINE: Duration = Duration::from_millis(250);
/// How long a listener waits before it connects again.
const PAUSE: Duration = Duration::from_secs(1);

/// Sends on one channel. Clones share a connection.
#[derive(Clone)]
pub struct Broadcast {
    redis: ConnectionManager,
    channel: &'static str,
}

impl Broadcast {
    /// Connects when it is first used.
    ///
    /// # Errors
    /// If the client's address cannot be used.
    pub fn new(redis: redis::Client, channel: &'static str) -> RedisResult<Self> {
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(DEADLINE))
            .set_response_timeout(Some(DEADLINE))
            .set_number_of_retries(1);
        Ok(Self { redis: ConnectionManager::new_lazy_with_config(redis, settings)?, channel })
    }

    /// Sends a text. Returns once Redis has passed it on, or could not within 250 ms.
    pub async fn send(&self, text: &str) {
        let mut redis = self.redis.clone();
        let mut publish = redis::cmd("PUBLISH");
        let sent = timeout(DEADLINE, publish.arg(self.channel).arg(text).exec_async(&mut redis)).await;
        if !matches!(sent, Ok(Ok(()))) {
            tracing::debug!(channel = self.channel, "text was not broadcast");
        }
    }

    /// Calls `receive` with each text from now on, and with `None` when it begins to listen: something may have been missed.
    pub fn listen(
        redis: redis::Client,
        channel: &'static str,
        lifecycle: &Lifecycle,
        receive: impl Fn(Option<String>) + Send + Sync + 'static,
    ) {
        let shutdown = lifecycle.shutdown();
        lifecycle.spawn(channel, async move {
            shutdown.run_until_cancelled(Self::listen_on(&redis, channel, receive)).await;
        });
    }

    /// The same, for as long as it is polled.
    pub async fn listen_on(
        redis: &redis::Client,
        channel: &'static str,
        receive: impl Fn(Option<String>) + Send + Sync,
    ) {
        loop {
            if let Err(error) = listen_once(redis, channel, &receive).await {
                tracing::debug!(channel, error = error_chain(&error), "connection was lost; trying again");
            }
            sleep(PAUSE).await;
        }
    }
}

async fn listen_once(
    redis: &redis::Client,
    channel: &str,
    receive: &(impl Fn(Option<String>) + Sync),
) -> RedisResult<()> {
    let mut connection = redis.get_async_pubsub().await?;
    connection.subscribe(channel).await?;
    receive(None);
    let mut messages = connection.on_message();
    while let Some(message) = messages.next().await {
        receive(Some(message.get_payload()?));
    }
    Ok(())
}

impl std::fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broadcast").field("channel", &self.channel).finish_non_exhaustive()
    }
}
