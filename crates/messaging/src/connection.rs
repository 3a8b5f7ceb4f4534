//! Connections to Redis, and how their loss is logged and waited out.

use std::time::Duration;

use chassis::Backoff;
use redis::{AsyncConnectionConfig, Client, RedisResult, aio::MultiplexedConnection};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));

/// A connection whose commands fail after `response_timeout`; `None` is for blocking reads.
pub(crate) async fn connect(
    client: &Client,
    response_timeout: Option<Duration>,
) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(response_timeout);
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// Whether a task has what it needs. Each change is logged once, however many tries lie between.
#[derive(Debug)]
pub(crate) struct Reconnect {
    task: String,
    tries: u32,
}

impl Reconnect {
    pub(crate) fn new(task: String) -> Self {
        Self { task, tries: 0 }
    }

    /// Notes a failed try and says how long to wait before the next.
    pub(crate) fn failed(&mut self, error: &(dyn std::error::Error + 'static)) -> Duration {
        if self.tries == 0 {
            tracing::error!(
                task = self.task,
                error = chassis::error_chain(error),
                "interrupted, trying again"
            );
        }
        self.tries = self.tries.saturating_add(1);
        BACKOFF.jittered(self.tries)
    }

    /// Called after a step that worked: the next error is logged again, and its wait is the shortest.
    pub(crate) fn recovered(&mut self) {
        if self.tries > 0 {
            tracing::info!(task = self.task, tries = self.tries, "works again");
        }
        self.tries = 0;
    }
}
