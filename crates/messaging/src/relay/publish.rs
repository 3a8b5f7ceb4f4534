//! The scripts that move entries and mark together.

use std::sync::LazyLock;

use chassis::failpoint::around;
use redis::{RedisResult, Script, aio::MultiplexedConnection};

use super::store::{EntryId, Lead, Row};

static PUBLISH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("publish.lua")));
static RECOVER: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("recover.lua")));

pub(super) enum Published {
    /// Redis has these rows, by their id, under this mark and with these entries; and it refused others.
    Added { mark: i64, entries: Vec<(i64, EntryId)>, refused: Vec<Refusal> },
    /// Redis took nothing, since it is at an older mark than it was before.
    Lost { found: i64 },
    /// Redis took nothing, since a relay of a later epoch has published.
    Superseded,
}

/// A stream that took no entry, and why.
#[derive(Debug, thiserror::Error)]
#[error("{stream} takes no entries: {error}")]
pub(super) struct Refusal {
    pub stream: String,
    error: String,
}

/// Adds the rows to their streams, unless Redis' mark is below ours or of a later epoch.
pub(super) async fn publish(
    redis: &mut MultiplexedConnection,
    mark_key: &str,
    lead: Lead,
    rows: &[Row],
) -> RedisResult<Published> {
    let mut streams: Vec<&str> = rows.iter().map(|row| row.stream.as_str()).collect();
    streams.sort_unstable();
    streams.dedup();
    let mut call = PUBLISH.key(mark_key);
    let epoch = lead.marks();
    call.key(&streams).arg(lead.mark).arg(epoch.start).arg(epoch.end);
    for row in rows {
        let stream = streams.partition_point(|stream| *stream < row.stream.as_str()) + 1;
        call.arg(stream).arg(row.fields.len() * 2);
        for (name, value) in &row.fields.0 {
            call.arg(name).arg(value);
        }
    }
    let first = rows.first().map_or("nothing", |row| row.stream.as_str());
    let (outcome, mark, ids, errors): (String, i64, Vec<String>, Vec<(String, String)>) =
        around("publishing", first, call.invoke_async(redis)).await?;
    Ok(match outcome.as_str() {
        "lost" => Published::Lost { found: mark },
        "superseded" => Published::Superseded,
        _ => {
            let entries = rows.iter().zip(&ids).filter_map(|(row, id)| Some((row.id, parse_id(id)?)));
            let refused = errors.into_iter().map(|(stream, error)| Refusal { stream, error });
            Published::Added { mark, entries: entries.collect(), refused: refused.collect() }
        }
    })
}

/// Moves the mark from `found` to `mark`, once what was lost is unpublished.
pub(super) async fn recover(
    redis: &mut MultiplexedConnection,
    mark_key: &str,
    found: i64,
    mark: i64,
) -> RedisResult<()> {
    RECOVER.key(mark_key).arg(found).arg(mark).invoke_async(redis).await
}

pub(super) fn parse_id(id: &str) -> Option<EntryId> {
    let (ms, seq) = id.split_once('-')?;
    Some((ms.parse().ok()?, seq.parse().ok()?))
}
