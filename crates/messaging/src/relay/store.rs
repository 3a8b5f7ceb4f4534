//! The relay's SQL. Every statement is a transaction of its own: no row is locked while Redis is asked.

use std::time::Duration;

use contracts::events::Fields;
use sqlx::{PgConnection, PgPool, postgres::types::PgInterval, types::Json};
use time::OffsetDateTime;

use super::publish::EntryId;

/// Advisory locks are per database, so one number serves all services.
const LOCK: i64 = 0x006f_7574_626f_7800;
/// Rows that one statement changes at most, so that it stays short.
const AT_ONCE: i64 = 10_000;

/// A row that is to be published.
pub(super) struct Row {
    pub id: i64,
    pub stream: String,
    pub fields: Json<Fields>,
}

/// Tries to become the active relay of this database.
pub(super) async fn lock(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "got!""#, LOCK).fetch_one(conn).await
}

pub(super) async fn mark(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!("select mark from messaging.relay").fetch_one(conn).await
}

/// The oldest rows that are not published, in the order they were appended.
pub(super) async fn unpublished(conn: &mut PgConnection, limit: u16) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        r#"select id, stream, fields as "fields: Json<Fields>"
           from messaging.outbox where published_at is null order by id limit $1"#,
        i64::from(limit),
    )
    .fetch_all(conn)
    .await
}

/// Notes the rows as published, and the mark with them.
pub(super) async fn published(
    conn: &mut PgConnection,
    mark: i64,
    rows: &[Row],
    entries: &[EntryId],
) -> sqlx::Result<()> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let (ms, seq): (Vec<i64>, Vec<i64>) = entries.iter().copied().unzip();
    sqlx::query!(
        "with sent as (
             update messaging.outbox
             set published_at = now(), mark = $1, entry_ms = entry.ms, entry_seq = entry.seq
             from unnest($2::bigint[], $3::bigint[], $4::bigint[]) as entry (id, ms, seq)
             where outbox.id = entry.id
         )
         update messaging.relay set mark = $1",
        mark,
        &ids,
        &ms,
        &seq,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes the next rows after row `after` unpublished that are above Redis' mark. Returns the last of them, and how many
/// they are: an outbox of days is too much for one statement.
pub(super) async fn unpublish_above(
    conn: &mut PgConnection,
    mark: i64,
    after: i64,
) -> sqlx::Result<Option<(i64, i64)>> {
    let undone = sqlx::query!(
        r#"with next as (
             select id from messaging.outbox where mark > $1 and id > $2 order by id limit $3
         ), undone as (
             update messaging.outbox set published_at = null, mark = null, entry_ms = null, entry_seq = null
             from next where outbox.id = next.id returning outbox.id
         )
         select max(id) as last, count(*) as "rows!" from undone"#,
        mark,
        after,
        AT_ONCE,
    )
    .fetch_one(conn)
    .await?;
    Ok(undone.last.map(|last| (last, undone.rows)))
}

/// Deletes old rows of a stream whose entries lie before `needed`; `None` for a stream that nobody acknowledges.
pub(super) async fn delete_published(
    conn: &mut PgConnection,
    stream: &str,
    needed: Option<EntryId>,
    keep: Duration,
) -> sqlx::Result<()> {
    let (ms, seq) = needed.unwrap_or((i64::MAX, 0));
    sqlx::query!(
        "delete from messaging.outbox where id in (
             select id from messaging.outbox
             where stream = $1 and published_at < now() - $2::interval and (entry_ms, entry_seq) < ($3, $4)
             order by published_at limit $5
         )",
        stream,
        interval(keep),
        ms,
        seq,
        AT_ONCE,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes old inbox rows.
pub(super) async fn delete_handled(conn: &mut PgConnection, keep: Duration) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from messaging.inbox where (consumer, event_id) in (
             select consumer, event_id from messaging.inbox where handled_at < now() - $1::interval limit $2
         )",
        interval(keep),
        AT_ONCE,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How many rows wait to be published, and since when the oldest of them does.
pub(super) async fn backlog(pool: &PgPool) -> sqlx::Result<(i64, Option<OffsetDateTime>)> {
    let row = sqlx::query!(
        r#"select count(*) as "count!", min(appended_at) as oldest
           from messaging.outbox where published_at is null"#
    )
    .fetch_one(pool)
    .await?;
    Ok((row.count, row.oldest))
}

fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
