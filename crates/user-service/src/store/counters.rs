//! Counts of attempts, on Redis' DB 0. They are worth less than being able to log in: while Redis is away
//! nothing is limited.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use redis::{AsyncConnectionConfig, FromRedisValue, Pipeline, RedisError, aio::MultiplexedConnection};
use tokio::sync::Mutex;

use crate::domain::Limit;

/// How long Redis may take before a login goes on without its counters.
const DEADLINE: Duration = Duration::from_millis(500);
/// How long it is not asked after an error: no login should wait for a Redis that has just failed.
const PAUSE: Duration = Duration::from_secs(1);

/// The counts. Clones share one connection.
#[derive(Clone)]
pub struct Counters {
    client: redis::Client,
    connection: Arc<Mutex<Connection>>,
}

/// The connection, made when it is first needed and again after an error.
#[derive(Default)]
enum Connection {
    #[default]
    Unused,
    Up(MultiplexedConnection),
    Down(Instant),
}

impl Counters {
    pub fn new(client: redis::Client) -> Self {
        Self { client, connection: Arc::default() }
    }

    /// In how many seconds the next attempt is welcome; `None` if now.
    pub async fn find_wait(&self, limits: &[Limit]) -> Option<u32> {
        if limits.is_empty() {
            return None;
        }
        let mut commands = redis::pipe();
        for limit in limits {
            commands.get(&limit.key).ttl(&limit.key);
        }
        let counts: Vec<Option<i64>> = self.ask(&commands).await?;
        let reached = |(limit, count): (&Limit, &[Option<i64>])| match count {
            [Some(count), ttl] if *count >= i64::from(limit.most) => Some(seconds(*ttl)),
            _ => None,
        };
        limits.iter().zip(counts.chunks_exact(2)).filter_map(reached).max()
    }

    /// Counts an attempt. If there were too many already, in how many seconds the next one is welcome.
    pub async fn increment(&self, limits: &[Limit]) -> Option<u32> {
        if limits.is_empty() {
            return None;
        }
        let mut commands = redis::pipe();
        commands.atomic();
        for limit in limits {
            // EXPIRE .. NX would be simpler, but Redis 6 does not know it.
            commands
                .cmd("SET")
                .arg(&limit.key)
                .arg(0)
                .arg("EX")
                .arg(limit.window.as_secs())
                .arg("NX")
                .ignore();
            commands.incr(&limit.key, 1).ttl(&limit.key);
        }
        let counts: Vec<i64> = self.ask(&commands).await?;
        let exceeded = |(limit, count): (&Limit, &[i64])| match count {
            [count, ttl] if *count > i64::from(limit.most) => Some(seconds(Some(*ttl))),
            _ => None,
        };
        limits.iter().zip(counts.chunks_exact(2)).filter_map(exceeded).max()
    }

    async fn ask<T: FromRedisValue>(&self, commands: &Pipeline) -> Option<T> {
        let mut redis = self.connect().await?;
        match commands.query_async(&mut redis).await {
            Ok(reply) => Some(reply),
            Err(error) => {
                *self.connection.lock().await = down(&error);
                None
            }
        }
    }

    async fn connect(&self) -> Option<MultiplexedConnection> {
        let mut connection = self.connection.lock().await;
        match &*connection {
            Connection::Up(redis) => return Some(redis.clone()),
            Connection::Down(since) if since.elapsed() < PAUSE => return None,
            Connection::Down(_) | Connection::Unused => {}
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(DEADLINE))
            .set_response_timeout(Some(DEADLINE));
        match self.client.get_multiplexed_async_connection_with_config(&config).await {
            Ok(redis) => {
                *connection = Connection::Up(redis.clone());
                Some(redis)
            }
            Err(error) => {
                *connection = down(&error);
                None
            }
        }
    }
}

fn down(error: &RedisError) -> Connection {
    tracing::warn!(%error, "Redis does not answer: logins and registrations are not limited");
    Connection::Down(Instant::now())
}

fn seconds(ttl: Option<i64>) -> u32 {
    ttl.and_then(|ttl| u32::try_from(ttl).ok()).unwrap_or(1).max(1)
}
