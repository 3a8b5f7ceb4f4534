//! L6: no event is in flight, no job was given up.

use std::collections::BTreeMap;

use redis::AsyncCommands;
use redis::streams::{StreamInfoGroupsReply, StreamRangeReply};

use super::{Finding, Ledger};
use crate::shop::Service;
use crate::{Error, Result};

impl Ledger {
    pub(super) async fn nothing_is_in_flight(&self) -> Result<Finding> {
        let mut broken = self.unpublished().await?;
        broken.extend(self.dead().await?);
        broken.extend(self.dead_jobs().await?);
        let mut redis = self.redis();
        let failed = || Error::redis("look at the streams");
        let mut streams: Vec<String> = redis.keys("stream:*").await.map_err(failed())?;
        streams.sort();
        for stream in &streams {
            if stream.ends_with(":dlq") {
                continue;
            }
            let groups: StreamInfoGroupsReply = redis.xinfo_groups(stream).await.map_err(failed())?;
            for group in groups.groups {
                let after = format!("({}", group.last_delivered_id);
                let unread: StreamRangeReply =
                    redis.xrange_count(stream, after, "+", 100).await.map_err(failed())?;
                let (pending, unread) = (group.pending, unread.ids.len());
                let waits = pending + unread > 0;
                let words = format!("{} of {stream}: {pending} pending, {unread} not yet read", group.name);
                broken.extend(waits.then_some(words));
            }
        }
        Ok(Finding::new("L6", "no event is unpublished, pending or dead, and no job was given up", broken))
    }

    /// The dead letters by the group that gave them up, and what the last of them died of.
    async fn dead(&self) -> Result<Vec<String>> {
        let mut groups = BTreeMap::new();
        for letter in self.dead_letters().open().await? {
            let (count, last) = groups.entry((letter.stream, letter.group)).or_insert((0, String::new()));
            *count += 1;
            *last = format!("{}: {}", letter.place, letter.error);
        }
        let words = |((stream, group), (count, last))| {
            let remedy = "fix that, then `make replay`, or `make discard LETTERS=..` what is not needed";
            format!("{count} dead letters of {stream} for {group}, such as {last}; {remedy}")
        };
        Ok(groups.into_iter().map(words).collect())
    }

    /// The jobs that were given up and wait for a person.
    async fn dead_jobs(&self) -> Result<Vec<String>> {
        let query = "SELECT kind, key, coalesce(error, 'no error') FROM jobs.queue
            WHERE dead_at IS NOT NULL ORDER BY dead_at";
        let mut broken = Vec::new();
        for service in [Service::Order, Service::Payment] {
            let jobs: Vec<(String, String, String)> = self.rows(service, query).await?;
            let words =
                |(kind, key, error)| format!("job given up by {}: {kind} of {key}: {error}", service.name());
            broken.extend(jobs.into_iter().map(words));
        }
        Ok(broken)
    }

    async fn unpublished(&self) -> Result<Vec<String>> {
        let query = "SELECT count(*) FROM messaging.outbox WHERE published_at IS NULL";
        let mut broken = Vec::new();
        for (service, _) in self.databases() {
            let rows: Vec<(i64,)> = self.rows(service, query).await?;
            let waiting = rows.first().map_or(0, |row| row.0);
            broken
                .extend((waiting > 0).then(|| format!("{waiting} unpublished events of {}", service.name())));
        }
        Ok(broken)
    }
}
