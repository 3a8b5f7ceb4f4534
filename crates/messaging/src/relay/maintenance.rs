//! What the active relay does now and then, beside publishing: trimming, deleting what is too old.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use contracts::events::Stream;
use redis::{RedisResult, Script, aio::MultiplexedConnection};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    Relay, Role,
    publish::parse_id,
    store::{self, EntryId},
};
use crate::{
    Error,
    connection::{Reconnect, connect},
};

static TRIM: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("trim.lua")));
/// Scripts here look at every group and at dead letters, which takes longer than a command.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Dead letters of a stream that are looked at. Where there are more, its rows are all kept.
const LETTERS: usize = 1_000;

/// What a stream has come to.
struct Trimmed {
    /// No group needs what lies below.
    needed: EntryId,
    /// Each group with the oldest entry that it has not acknowledged.
    waiting: Vec<(String, Option<EntryId>)>,
    /// The events of which there are dead letters.
    dead_letters: Vec<String>,
}

impl Relay {
    pub(super) async fn maintain(&self, shutdown: &CancellationToken) {
        let mut reconnect = Reconnect::new(format!("{} maintenance", self.mark_key));
        while !shutdown.is_cancelled() {
            if self.role() == Role::Active {
                match shutdown.run_until_cancelled(self.tidy()).await {
                    Some(Err(error)) => _ = reconnect.failed(error.as_ref()),
                    Some(Ok(())) | None => reconnect.recovered(),
                }
            }
            shutdown.run_until_cancelled(sleep(self.policy.maintenance)).await;
        }
    }

    /// One round. A failure of one stream does not stop the others; the last error is returned.
    async fn tidy(&self) -> Result<(), Error> {
        let mut redis = connect(&self.redis, Some(SCRIPT_TIMEOUT)).await?;
        let mut outcome = Ok(());
        for stream in self.streams {
            if let Err(error) = self.tidy_stream(&mut redis, stream).await {
                outcome = Err(error);
            }
        }
        let mut postgres = self.pool.acquire().await?;
        let (keep, own) = (self.policy.keep_handled, self.streams.iter().map(|stream| stream.name));
        store::delete_foreign(&mut postgres, &own.collect::<Vec<_>>(), keep).await?;
        store::delete_closed_letters(&mut postgres, keep).await?;
        store::delete_handled(&mut postgres, keep).await?;
        outcome
    }

    async fn tidy_stream(
        &self,
        redis: &mut MultiplexedConnection,
        stream: &'static Stream,
    ) -> Result<(), Error> {
        let limit = stream.groups.is_empty().then(|| self.oldest_ungrouped());
        let Trimmed { needed, waiting, dead_letters } = trim(redis, stream, limit).await?;
        self.watch(stream.name, waiting);
        if dead_letters.len() > LETTERS {
            return Ok(());
        }
        let mut postgres = self.pool.acquire().await?;
        let keep = self.policy.keep_published;
        Ok(store::delete_published(&mut postgres, stream.name, needed, &dead_letters, keep).await?)
    }

    /// Measures for how long each group has left something unacknowledged.
    fn watch(&self, stream: &'static str, waiting: Vec<(String, Option<EntryId>)>) {
        for (group, oldest) in waiting {
            let labels = [("stream", stream.to_owned()), ("group", group)];
            let age = oldest.map_or(Duration::ZERO, |(ms, _)| since_epoch().saturating_sub(millis(ms)));
            metrics::gauge!("stream_waiting_seconds", &labels).set(age.as_secs_f64());
            let silent = u8::from(age >= self.policy.silent_after);
            metrics::gauge!("stream_group_silent", &labels).set(silent);
        }
    }

    fn oldest_ungrouped(&self) -> EntryId {
        let oldest = since_epoch().saturating_sub(self.policy.keep_ungrouped);
        (i64::try_from(oldest.as_millis()).unwrap_or(i64::MAX), 0)
    }
}

/// Drops what every group has acknowledged: those that the contract lists, which have to exist, and those that exist
/// besides, for a newer program may have more of them. Above `limit` nothing is dropped.
async fn trim(
    redis: &mut MultiplexedConnection,
    stream: &Stream,
    limit: Option<EntryId>,
) -> RedisResult<Trimmed> {
    let mut trim = TRIM.key(stream.name);
    trim.key(format!("{}:dlq", stream.name));
    trim.arg(limit.map_or_else(String::new, |(ms, seq)| format!("{ms}-{seq}")));
    trim.arg(LETTERS).arg(stream.groups);
    let (needed, waiting, dead_letters): (String, Vec<(String, String)>, Vec<Vec<u8>>) =
        trim.invoke_async(redis).await?;
    Ok(Trimmed {
        needed: parse_id(&needed).unwrap_or_default(),
        waiting: waiting.into_iter().map(|(group, oldest)| (group, parse_id(&oldest))).collect(),
        dead_letters: dead_letters.into_iter().map(|id| String::from_utf8_lossy(&id).into_owned()).collect(),
    })
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(ms.unsigned_abs())
}
