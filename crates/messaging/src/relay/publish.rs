//! The scripts that move entries and mark together.

use std::sync::LazyLock;

use redis::{RedisResult, Script, aio::MultiplexedConnection};

use super::store::Row;

static PUBLISH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("publish.lua")));
static RECOVER: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("recover.lua")));

/// A stream entry's id: milliseconds and a number.
pub(super) type EntryId = (i64, i64);

/// What became of a batch.
pub(super) enum Published {
    /// Redis has it, under this mark and with these ids.
    All { mark: i64, ids: Vec<EntryId> },
    /// Redis took nothing, since it is at an older mark than it was before.
    Lost { found: i64 },
}

/// Adds the rows to their streams, unless Redis' mark is below `mark`.
pub(super) async fn publish(
    redis: &mut MultiplexedConnection,
    mark_key: &str,
    mark: i64,
    rows: &[Row],
) -> RedisResult<Published> {
    let mut streams: Vec<&str> = rows.iter().map(|row| row.stream.as_str()).collect();
    streams.sort_unstable();
    streams.dedup();
    let mut call = PUBLISH.key(mark_key);
    call.key(&streams).arg(mark);
    for row in rows {
        let stream = streams.partition_point(|stream| *stream < row.stream.as_str()) + 1;
        call.arg(stream).arg(row.fields.len() * 2);
        for (name, value) in &row.fields.0 {
            call.arg(name).arg(value);
        }
    }
    let (complete, mark, ids): (bool, i64, Vec<String>) = call.invoke_async(redis).await?;
    if !complete {
        return Ok(Published::Lost { found: mark });
    }
    let ids = ids.iter().map(|id| parse_id(id)).collect::<Option<_>>();
    Ok(Published::All { mark, ids: ids.ok_or((redis::ErrorKind::UnexpectedReturnType, "not an entry id"))? })
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
