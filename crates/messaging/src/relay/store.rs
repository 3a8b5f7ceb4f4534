//! The relay's SQL. Every statement is a transaction of its own: no row is locked while Redis is asked.

use std::{ops::Range, time::Duration};

use chassis::database::interval;
use contracts::events::Fields;
use sqlx::{PgConnection, PgPool, types::Json};

/// Advisory locks are per database, so one number serves all services.
const LOCK: i64 = 0x006f_7574_626f_7800;
/// Rows that one statement changes at most, so that it stays short.
const AT_ONCE: i64 = 10_000;
/// The bits of a mark that number the batches of an epoch. More batches than that begin the next one, as a take-over does.
const BATCH_BITS: u32 = 24;

/// A stream entry's id: milliseconds and a number.
pub(super) type EntryId = (i64, i64);

/// A row that is to be published.
pub(super) struct Row {
    pub id: i64,
    pub stream: String,
    pub fields: Json<Fields>,
}

/// Where the active relay is: its claim to the lead, and how far Redis is known to have come.
#[derive(Clone, Copy)]
pub(super) struct Lead {
    /// Counts the take-overs of the lead. A relay that finds another number here has lost it.
    pub epoch: i64,
    /// The last batch that Postgres has recorded as published.
    pub mark: i64,
}

impl Lead {
    /// The marks that belong to this epoch.
    pub(super) fn marks(self) -> Range<i64> {
        (self.epoch << BATCH_BITS)..((self.epoch + 1) << BATCH_BITS)
    }
}

/// Has Postgres end this session, and with it give the lock back, when its process has fallen silent: a statement may
/// take 10 s, and the next one has to follow within 5.
pub(super) async fn bound_session(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(
        "select set_config('statement_timeout', '10s', false) as statement,
                set_config('idle_session_timeout', '5s', false) as idle"
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

/// Tries to become the active relay of this database.
pub(super) async fn lock(conn: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "got!""#, LOCK).fetch_one(conn).await
}

/// Begins an epoch of our own, above every mark there is.
pub(super) async fn take_over(conn: &mut PgConnection) -> sqlx::Result<Lead> {
    let bits = i32::try_from(BATCH_BITS).unwrap_or_default();
    sqlx::query_as!(
        Lead,
        "update messaging.relay set epoch = greatest(epoch, mark >> $1) + 1 returning epoch, mark",
        bits,
    )
    .fetch_one(conn)
    .await
}

/// The oldest rows that are not published, in the order they were appended, but for those of some streams.
pub(super) async fn unpublished(
    conn: &mut PgConnection,
    limit: u16,
    refusing: &[String],
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        r#"select id, stream, fields as "fields: Json<Fields>"
           from messaging.outbox where published_at is null and stream <> all($2) order by id limit $1"#,
        i64::from(limit),
        refusing,
    )
    .fetch_all(conn)
    .await
}

/// Notes rows as published, each with its entry, and the mark with them.
pub(super) async fn published(
    conn: &mut PgConnection,
    mark: i64,
    entries: &[(i64, EntryId)],
) -> sqlx::Result<()> {
    let (ids, entries): (Vec<i64>, Vec<EntryId>) = entries.iter().copied().unzip();
    let (ms, seq): (Vec<i64>, Vec<i64>) = entries.into_iter().unzip();
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

/// Deletes old rows of a stream whose entries lie before `needed`, but for those of which there is a dead letter: Redis
/// may lose the dead letter, and then it is made anew from the row.
pub(super) async fn delete_published(
    conn: &mut PgConnection,
    stream: &str,
    needed: EntryId,
    dead_letters: &[String],
    keep: Duration,
) -> sqlx::Result<()> {
    let (ms, seq) = needed;
    sqlx::query!(
        "delete from messaging.outbox where id in (
             select id from messaging.outbox
             where stream = $1 and published_at < now() - $2::interval and (entry_ms, entry_seq) < ($3, $4)
                 and coalesce(fields ->> 'event_id', '') <> all($5)
             order by published_at limit $6
         )",
        stream,
        interval(keep),
        ms,
        seq,
        dead_letters,
        AT_ONCE,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes old rows of streams that others publish: dead letters that were put back.
pub(super) async fn delete_foreign(
    conn: &mut PgConnection,
    own: &[&str],
    keep: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from messaging.outbox where id in (
             select id from messaging.outbox
             where published_at < now() - $1::interval and stream <> all($2::text[]) limit $3
         )",
        interval(keep),
        own as &[&str],
        AT_ONCE,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes old dead letters that are closed.
pub(super) async fn delete_closed_letters(conn: &mut PgConnection, keep: Duration) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from messaging.dead_letters
         where coalesce(replayed_at, discarded_at) < now() - $1::interval",
        interval(keep),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes inbox rows older than `keep`, at most as many as a short transaction can: the next pass goes on.
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

pub(super) struct Backlog {
    /// Rows that are committed and not published.
    pub waiting: i64,
    /// For how long the oldest of them is not.
    pub age: Duration,
    /// Dead letters that nobody has replayed or discarded.
    pub dead_letters: i64,
}

/// What waits to be published or seen to, by the clock of Postgres.
pub(super) async fn backlog(pool: &PgPool) -> sqlx::Result<Backlog> {
    let row = sqlx::query!(
        r#"select count(*) as "waiting!", extract(epoch from now() - min(appended_at))::float8 as age,
               (select count(*) from messaging.dead_letters
                where replayed_at is null and discarded_at is null) as "letters!"
           from messaging.outbox where published_at is null"#
    )
    .fetch_one(pool)
    .await?;
    let age = Duration::try_from_secs_f64(row.age.unwrap_or_default()).unwrap_or_default();
    Ok(Backlog { waiting: row.waiting, age, dead_letters: row.letters })
}
