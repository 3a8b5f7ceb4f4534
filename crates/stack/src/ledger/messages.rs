//! L6: no event is in flight or lost, no job was given up.

use std::collections::BTreeMap;

use contracts::events::groups::NOTIFICATION;
use redis::AsyncCommands;
use redis::streams::{StreamInfoGroupsReply, StreamRangeReply};
use time::OffsetDateTime;

use super::{Advice, Discrepancy, Finding, Ledger};
use crate::{Error, Result};

const UNPUBLISHED: Advice = Advice {
    cause: "its relay cannot reach Redis, or no replica of the service runs",
    remedy: "see the metrics outbox_backlog and outbox_standby_seconds, and the log of the service",
};
const UNREAD: Advice = Advice {
    cause: "no replica of the group's service runs, or what it needs to handle the event does not answer",
    remedy: "see the log of the group's service for the event; it goes on by itself when the cause is gone",
};
const DEAD: Advice = Advice {
    cause: "the group's service has a bug, or cannot read the event; the letter's error says which",
    remedy: "fix that, then `stack replay`; or `stack discard` what is not needed",
};

impl Ledger {
    pub(super) async fn nothing_is_in_flight(&self) -> Result<Finding> {
        let mut broken = self.unpublished().await?;
        broken.extend(self.dead().await?);
        broken.extend(self.dead_jobs().await?);
        // Nothing waits for what the shop does without.
        let (optional, others): (Vec<_>, Vec<_>) =
            self.unread().await?.into_iter().partition(|(group, _)| group == NOTIFICATION);
        broken.extend(others.into_iter().map(|(_, unread)| unread));
        broken.extend(self.lost_events().await?);
        broken.extend(self.foreign_events().await?);
        let what = "no event is unpublished, unread, lost, foreign or dead, and no job was given up";
        let remarks = optional.into_iter().map(|(_, unread)| unread).collect();
        Ok(Finding::new("L6", what, broken).with_remarks(remarks))
    }

    /// The first event of each stream that a group has not acknowledged, each with its group.
    async fn unread(&self) -> Result<Vec<(String, Discrepancy)>> {
        let mut redis = self.redis();
        let failed = || Error::redis("look at the streams");
        let mut streams: Vec<String> = redis.keys("stream:*").await.map_err(failed())?;
        streams.sort();
        let mut broken = Vec::new();
        for stream in streams.iter().filter(|stream| !stream.ends_with(":dlq")) {
            let groups: StreamInfoGroupsReply = redis.xinfo_groups(stream).await.map_err(failed())?;
            for group in groups.groups {
                let first = first_unread(&mut redis, stream, &group.name, &group.last_delivered_id);
                let Some(first) = first.await.map_err(failed())? else { continue };
                let what = format!("{} has not read {first} of {stream} to the end", group.name);
                broken.push((group.name, Discrepancy::new(UNREAD, what).since(time_of(&first))));
            }
        }
        Ok(broken)
    }

    /// The dead letters by the group that gave them up, and what the last of them died of.
    async fn dead(&self) -> Result<Vec<Discrepancy>> {
        let mut groups = BTreeMap::new();
        for letter in self.dead_letters().open().await? {
            let (count, last) = groups.entry((letter.stream, letter.group)).or_insert((0, String::new()));
            *count += 1;
            *last = format!("{}: {}", letter.place, letter.error);
        }
        let words = |((stream, group), (count, last))| {
            Discrepancy::new(DEAD, format!("{count} dead letters of {stream} for {group}, such as {last}"))
        };
        Ok(groups.into_iter().map(words).collect())
    }

    /// The oldest unpublished event of each outbox.
    async fn unpublished(&self) -> Result<Vec<Discrepancy>> {
        let query = "SELECT id, stream, appended_at FROM messaging.outbox WHERE published_at IS NULL ORDER BY id LIMIT 1";
        let mut broken = Vec::new();
        for (service, _) in self.databases() {
            let rows: Vec<(i64, String, OffsetDateTime)> = self.rows(service, query).await?;
            broken.extend(rows.into_iter().map(|(id, stream, since)| {
                let what = format!("event {id} of {} for {stream} is unpublished", service.name());
                Discrepancy::new(UNPUBLISHED, what).since(since)
            }));
        }
        Ok(broken)
    }
}

/// The id of the first entry that a group was given and did not acknowledge, or was not given.
async fn first_unread(
    redis: &mut redis::aio::MultiplexedConnection,
    stream: &str,
    group: &str,
    delivered: &str,
) -> redis::RedisResult<Option<String>> {
    let mut pending = redis::cmd("XPENDING");
    pending.arg(stream).arg(group).arg("-").arg("+").arg(1);
    let pending: Vec<(String, String, u64, u64)> = pending.query_async(redis).await?;
    if let Some((first, ..)) = pending.into_iter().next() {
        return Ok(Some(first));
    }
    let next: StreamRangeReply = redis.xrange_count(stream, format!("({delivered}"), "+", 1).await?;
    Ok(next.ids.into_iter().next().map(|entry| entry.id))
}

/// When an entry was added: the first part of its id are milliseconds.
pub(crate) fn time_of(entry: &str) -> Option<OffsetDateTime> {
    let (ms, _) = entry.split_once('-')?;
    OffsetDateTime::from_unix_timestamp_nanos(ms.parse::<i128>().ok()? * 1_000_000).ok()
}
