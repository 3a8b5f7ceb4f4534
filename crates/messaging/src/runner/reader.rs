//! Where the next entries of a stream come from.

use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};
use redis::{RedisError, RedisResult};
use tokio::time::{Instant, error::Elapsed, timeout};

use super::{
    group::{BLOCK, GroupConsumer},
    retry::Entry,
};

/// Beyond this a read is lost, and so is its connection.
const LOST_AFTER: Duration = BLOCK.saturating_add(Duration::from_secs(2));

/// Entries, and what to read after them.
pub(super) type ReadBatch = RedisResult<(Vec<Entry>, Next)>;

#[derive(Clone)]
pub(super) enum Next {
    /// What was delivered to us before the connection was lost, after an id.
    Own(String),
    /// What others left lying, from an id on.
    Abandoned(String),
    /// What nobody in the group has got yet.
    New,
}

/// Reads one thing at a time, on a connection of its own.
pub(super) struct Reader {
    consumer: GroupConsumer,
    /// By which Redis knows its connection.
    pub(super) connection: i64,
    claim_after: Duration,
    /// When to look again for what others left lying.
    claim_at: Instant,
    next: Next,
}

impl Reader {
    pub(super) async fn new(mut consumer: GroupConsumer, claim_after: Duration) -> RedisResult<Self> {
        let connection = timeout(LOST_AFTER, consumer.connection_id()).await.map_err(lost)??;
        Ok(Self {
            consumer,
            connection,
            claim_after,
            claim_at: Instant::now(),
            next: Next::Own("0".to_owned()),
        })
    }

    /// Starts a read. It owns what it needs, so that nothing is lost while other things are attended to.
    pub(super) fn start(&mut self) -> BoxFuture<'static, ReadBatch> {
        if matches!(self.next, Next::New) && Instant::now() >= self.claim_at {
            self.next = Next::Abandoned("0-0".to_owned());
        }
        let (consumer, next, idle) = (self.consumer.clone(), self.next.clone(), self.claim_after);
        async move { timeout(LOST_AFTER, read(consumer, next, idle)).await.map_err(lost)? }.boxed()
    }

    /// Notes what comes after a read.
    pub(super) fn take(&mut self, batch: ReadBatch) -> RedisResult<Vec<Entry>> {
        let (entries, next) = batch?;
        if matches!((&self.next, &next), (Next::Abandoned(_), Next::New)) {
            self.claim_at = Instant::now() + self.claim_after / 4;
        }
        self.next = next;
        Ok(entries)
    }
}

fn lost(_: Elapsed) -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

async fn read(mut consumer: GroupConsumer, next: Next, idle: Duration) -> ReadBatch {
    match next {
        Next::Own(after) => {
            let entries = consumer.read_own(&after).await?;
            let last = entries.last().map(|entry| Next::Own(entry.id.clone()));
            Ok((entries, last.unwrap_or_else(|| Next::Abandoned("0-0".to_owned()))))
        }
        Next::Abandoned(from) => {
            let (from, entries) = consumer.claim(idle, &from).await?;
            Ok((entries, if from == "0-0" { Next::New } else { Next::Abandoned(from) }))
        }
        Next::New => Ok((consumer.read_new().await?, Next::New)),
    }
}
