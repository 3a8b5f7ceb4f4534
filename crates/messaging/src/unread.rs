//! Whether a published event was read: asked by who would publish it again because nobody answered.

use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

use contracts::events::Stream;
use redis::Script;
use sqlx::PgPool;

use crate::{Error, connection::connect};

static UNREAD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("unread.lua")));

/// How long Redis may take to answer.
const DEADLINE: Duration = Duration::from_secs(2);

/// Asks how far consumer groups have come.
#[derive(Debug, Clone)]
pub struct GroupProgress {
    redis: redis::Client,
}

impl GroupProgress {
    /// Asks this Redis database, which is the one of the streams.
    pub fn new(redis: redis::Client) -> Self {
        Self { redis }
    }

    /// Those of the outbox rows of a stream that some of the groups have not read to the end: they are not published yet,
    /// not delivered, or not acknowledged. A row that is gone was read by all.
    ///
    /// # Errors
    /// If Postgres or Redis does not answer. Redis is only asked about rows that are published.
    pub async fn unread(
        &self,
        db: &PgPool,
        stream: Stream,
        groups: &[&str],
        rows: &[i64],
    ) -> Result<BTreeSet<i64>, Error> {
        if rows.is_empty() {
            return Ok(BTreeSet::new());
        }
        let known = sqlx::query!(
            "select id, entry_ms, entry_seq from messaging.outbox where id = any($1) and stream = $2",
            rows,
            stream.name,
        )
        .fetch_all(db)
        .await?;
        let (mut unread, mut published) = (BTreeSet::new(), Vec::new());
        for row in known {
            match row.entry_ms.zip(row.entry_seq) {
                Some((ms, seq)) => published.push((row.id, format!("{ms}-{seq}"))),
                None => drop(unread.insert(row.id)),
            }
        }
        if !published.is_empty() {
            let mut redis = connect(&self.redis, Some(DEADLINE)).await?;
            let mut call = UNREAD.key(stream.name);
            call.arg(groups.len()).arg(groups);
            for (_, entry) in &published {
                call.arg(entry);
            }
            let numbers: Vec<usize> = call.invoke_async(&mut redis).await?;
            unread.extend(numbers.iter().filter_map(|number| published.get(number - 1)).map(|(id, _)| *id));
        }
        Ok(unread)
    }
}
