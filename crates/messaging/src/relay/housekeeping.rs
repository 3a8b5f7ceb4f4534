//! What is done now and then: trimming, deleting what is too old, measuring.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use contracts::events::Stream;
use redis::{RedisResult, Script, aio::MultiplexedConnection, cmd};
use time::OffsetDateTime;

use super::{
    Relay, Session,
    publish::{EntryId, parse_id},
    store,
};
use crate::Error;

static PROGRESS: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("progress.lua")));

/// How far a group has come on a stream.
struct Progress {
    group: &'static str,
    /// The lowest id that it may still need; `None` if the group does not exist.
    needed: Option<EntryId>,
    /// The oldest entry that it has not acknowledged.
    waiting: Option<EntryId>,
}

impl Relay {
    pub(super) async fn keep_house(&self, session: &mut Session) -> Result<(), Error> {
        for stream in self.streams {
            let needed = if stream.groups.is_empty() {
                trim(&mut session.redis, stream.name, self.oldest_ungrouped()).await?;
                None
            } else {
                let progress = progress(&mut session.redis, stream).await?;
                self.watch(stream.name, &progress);
                let Some(needed) = needed_by_all(&progress) else { continue };
                trim(&mut session.redis, stream.name, needed).await?;
                Some(needed)
            };
            let keep = self.policy.keep_published;
            store::delete_published(&mut session.postgres, stream.name, needed, keep).await?;
        }
        Ok(store::delete_handled(&mut session.postgres, self.policy.keep_handled).await?)
    }

    /// Tells how much waits to be published. Every replica does, so that no gauge is left standing.
    pub(super) async fn measure(&self) {
        let Ok((count, oldest)) = store::backlog(&self.pool).await else { return };
        let age = oldest.map_or(0.0, |oldest| (OffsetDateTime::now_utc() - oldest).as_seconds_f64());
        metrics::gauge!("outbox_backlog").set(u32::try_from(count).unwrap_or(u32::MAX));
        metrics::gauge!("outbox_backlog_age_seconds").set(age.max(0.0));
    }

    fn watch(&self, stream: &'static str, progress: &[Progress]) {
        for Progress { group, waiting, .. } in progress {
            let labels = [("stream", stream), ("group", *group)];
            let age = waiting.map_or(Duration::ZERO, |(ms, _)| since_epoch().saturating_sub(millis(ms)));
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

/// The lowest id that any group may still need; `None` while a group is missing, which will need everything.
fn needed_by_all(progress: &[Progress]) -> Option<EntryId> {
    let needed: Option<Vec<EntryId>> = progress.iter().map(|group| group.needed).collect();
    needed?.into_iter().min()
}

async fn progress(redis: &mut MultiplexedConnection, stream: &Stream) -> RedisResult<Vec<Progress>> {
    let rows: Vec<(String, String)> =
        PROGRESS.key(stream.name).arg(stream.groups).invoke_async(redis).await?;
    let progress = |(group, (needed, waiting)): (&&'static str, (String, String))| Progress {
        group,
        needed: parse_id(&needed),
        waiting: parse_id(&waiting),
    };
    Ok(stream.groups.iter().zip(rows).map(progress).collect())
}

/// Drops what lies before an id. Only entries that every group has acknowledged do, and that stays true.
async fn trim(redis: &mut MultiplexedConnection, stream: &str, (ms, seq): EntryId) -> RedisResult<()> {
    cmd("XTRIM").arg(stream).arg("MINID").arg("=").arg(format!("{ms}-{seq}")).query_async(redis).await
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(ms.unsigned_abs())
}
