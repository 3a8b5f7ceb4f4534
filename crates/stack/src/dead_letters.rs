//! Dead letters of a running shop: events that a service could not handle.
//!
//! They are kept in the database of the service that gave them up; Redis has a copy of each on `<stream>:dlq`. A letter of
//! a service without a database is on Redis alone, and the publisher keeps the row of its event for as long.

use std::collections::BTreeMap;

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use serde_json::{Map, Value};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::ledger::time_of;
use crate::shop::Service;
use crate::{Error, Result};

const COPIES: &str = ":dlq";
/// What a consumer adds to a copy.
const ADDED: [&str; 4] = ["group", "error", "tries", "entry_id"];

/// For as long as inboxes remember an event.
const DISCARDED_SECONDS: u64 = 30 * 24 * 3600;

type Bytes = Vec<u8>;

/// The key that says that a group's letter, which was in Redis alone, was discarded; its value is the reason.
pub(crate) fn discarded(group: &str, event_id: &str) -> String {
    format!("discarded:{group}:{event_id}")
}

/// The databases and the Redis in which dead letters are.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    databases: Vec<(Service, PgPool)>,
    redis: MultiplexedConnection,
}

/// A dead letter that nobody has replayed or discarded.
#[derive(Debug)]
pub struct DeadLetter {
    /// Where it is kept, which is also its name.
    pub place: Place,
    /// The group that gave it up.
    pub group: String,
    /// The stream on which its event was.
    pub stream: String,
    /// The error that it was given up for.
    pub error: String,
    /// How often the process that gave it up had tried.
    pub tries: Option<i64>,
    /// When it was given up.
    pub since: Option<OffsetDateTime>,
    fields: Vec<(Bytes, Bytes)>,
}

/// Where a dead letter is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// As a row of a service's database.
    Database(Service, i64),
    /// As an entry of a `:dlq` in Redis, alone.
    Redis(String, String),
}

/// Its name, by which it can be discarded.
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(service, id) => write!(f, "{}/{id}", service.name()),
            Self::Redis(key, id) => write!(f, "{key}/{id}"),
        }
    }
}

/// A row of a database, open or closed.
#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    consumer: String,
    stream: String,
    entry_id: String,
    event_id: Option<String>,
    error: String,
    tries: i32,
    died_at: OffsetDateTime,
    names: Vec<Bytes>,
    contents: Vec<Bytes>,
    open: bool,
}

/// A copy of a letter on a `:dlq`, with the names by which it is matched to a letter.
#[derive(Clone)]
struct Copy {
    key: String,
    id: String,
    fields: Vec<(Bytes, Bytes)>,
    added: BTreeMap<String, String>,
}

impl Copy {
    fn new(key: String, id: String, mut fields: Vec<(Bytes, Bytes)>) -> Self {
        let text = |bytes: Bytes| String::from_utf8_lossy(&bytes).into_owned();
        let added = fields.extract_if(.., |(name, _)| ADDED.iter().any(|added| added.as_bytes() == name));
        let added = added.map(|(name, value)| (text(name), text(value))).collect();
        Self { key, id, fields, added }
    }

    fn stream(&self) -> &str {
        self.key.trim_end_matches(COPIES)
    }

    fn added(&self, name: &str) -> &str {
        self.added.get(name).map_or("", String::as_str)
    }

    /// Of the same event, given up by the same group.
    fn is_same(&self, other: &Self) -> bool {
        let event_id = field(&self.fields, "event_id");
        event_id.is_some()
            && event_id == field(&other.fields, "event_id")
            && (self.stream(), self.added("group")) == (other.stream(), other.added("group"))
    }

    /// Of the same entry, or of another one with the same event.
    fn is_of(&self, row: &Row) -> bool {
        let event_id = row.event_id.as_deref();
        (row.consumer.as_str(), row.stream.as_str()) == (self.added("group"), self.stream())
            && (row.entry_id == self.added("entry_id")
                || event_id.is_some() && event_id == field(&self.fields, "event_id"))
    }
}

impl DeadLetter {
    /// The event's id, if the entry has one.
    pub fn event_id(&self) -> Option<&str> {
        field(&self.fields, "event_id")
    }

    /// The type of its event, if the entry has one.
    pub fn event_type(&self) -> Option<&str> {
        field(&self.fields, "type")
    }

    /// The trace of its event through the logs of all services.
    pub fn correlation_id(&self) -> Option<&str> {
        field(&self.fields, "correlation_id")
    }

    /// The whole entry, as far as it is text.
    pub fn fields(&self) -> impl Iterator<Item = (String, String)> {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        self.fields.iter().map(move |(name, value)| (text(name), text(value)))
    }

    /// The entry as an outbox has it, if it can be an event: a flat map of texts that PostgreSQL can keep.
    fn event(&self) -> Option<Value> {
        let text = |bytes: &Bytes| {
            let text = str::from_utf8(bytes).ok()?;
            (!text.contains('\0')).then(|| text.to_owned())
        };
        let mut event = Map::new();
        for (name, value) in &self.fields {
            event.insert(text(name)?, Value::String(text(value)?));
        }
        (event.len() == self.fields.len()).then_some(Value::Object(event))
    }
}

impl DeadLetters {
    /// The dead letters in these databases and in this Redis.
    pub fn new(databases: Vec<(Service, PgPool)>, redis: MultiplexedConnection) -> Self {
        Self { databases, redis }
    }

    /// All that are open, those of databases first.
    pub async fn open(&mut self) -> Result<Vec<DeadLetter>> {
        let (mut letters, mut known) = (Vec::new(), Vec::new());
        for (service, pool) in &self.databases {
            for row in rows(pool).await? {
                letters.extend(row.open.then(|| DeadLetter {
                    place: Place::Database(*service, row.id),
                    group: row.consumer.clone(),
                    stream: row.stream.clone(),
                    error: row.error.clone(),
                    tries: Some(row.tries.into()),
                    since: Some(row.died_at),
                    fields: row.names.iter().cloned().zip(row.contents.iter().cloned()).collect(),
                }));
                known.push(row);
            }
        }
        let copies = copies(&mut self.redis).await?;
        let alone = |copy: &&Copy| !known.iter().any(|row| copy.is_of(row));
        // An event that was given up again has a copy for each time: the last one stands for all.
        let is_last = |(place, copy): &(usize, &Copy)| !copies[place + 1..].iter().any(|it| it.is_same(copy));
        let last = copies.iter().enumerate().filter(is_last).map(|(_, copy)| copy);
        letters.extend(last.filter(alone).cloned().map(|copy| DeadLetter {
            group: copy.added("group").to_owned(),
            stream: copy.stream().to_owned(),
            error: copy.added("error").to_owned(),
            tries: copy.added("tries").parse().ok(),
            since: time_of(&copy.id),
            fields: copy.fields,
            place: Place::Redis(copy.key, copy.id),
        }));
        Ok(letters)
    }

    /// Has the event published again. Every group reads it once more; those that have handled it know it. Interrupted in
    /// the middle, the letter is open still, or the event comes twice.
    pub async fn replay(&mut self, letter: &DeadLetter) -> Result<()> {
        match &letter.place {
            Place::Database(service, id) => {
                if let Some(event) = letter.event() {
                    return replay_by_outbox(self.pool(*service)?, *id, &letter.stream, &event).await;
                }
                // What is no event comes to nothing; but then it was put back, with every byte.
                self.add(letter).await?;
            }
            Place::Redis(..) => {
                if !self.publish_again(letter).await? {
                    self.add(letter).await?;
                }
            }
        }
        self.set_replayed(&letter.place).await
    }

    /// Closes a letter whose event is published again for another one.
    pub async fn set_replayed(&mut self, place: &Place) -> Result<()> {
        match place {
            Place::Database(service, id) => close(self.pool(*service)?, *id, REPLAYED, None).await,
            Place::Redis(key, id) => self.remove(key, id).await,
        }
    }

    /// Closes a letter whose event is not wanted any more, and keeps why.
    pub async fn discard(&mut self, letter: &DeadLetter, reason: &str) -> Result<()> {
        match &letter.place {
            Place::Database(service, id) => close(self.pool(*service)?, *id, DISCARDED, Some(reason)).await,
            Place::Redis(key, id) => {
                if let Some(event_id) = letter.event_id() {
                    let mark = discarded(&letter.group, event_id);
                    let kept = self.redis.set_ex(mark, reason, DISCARDED_SECONDS).await;
                    let () = kept.map_err(Error::redis("keep why a dead letter was discarded"))?;
                }
                self.remove(key, id).await
            }
        }
    }

    /// Removes the copies of letters that are closed.
    pub async fn remove_closed_copies(&mut self) -> Result<()> {
        let mut closed = Vec::new();
        for (_, pool) in &self.databases {
            closed.extend(rows(pool).await?.into_iter().filter(|row| !row.open));
        }
        for copy in copies(&mut self.redis).await? {
            if closed.iter().any(|row| copy.is_of(row)) {
                self.remove(&copy.key, &copy.id).await?;
            }
        }
        Ok(())
    }

    fn pool(&self, service: Service) -> Result<&PgPool> {
        let found = self.databases.iter().find(|(known, _)| *known == service);
        found.map(|(_, pool)| pool).ok_or_else(|| Error::other("this service has no database"))
    }

    async fn add(&mut self, letter: &DeadLetter) -> Result<()> {
        let added: redis::RedisResult<String> = self.redis.xadd(&letter.stream, "*", &letter.fields).await;
        added.map(drop).map_err(Error::redis("put a dead letter back"))
    }

    /// Removes a copy, and those of the same event and group.
    async fn remove(&mut self, key: &str, id: &str) -> Result<()> {
        let copies = copies(&mut self.redis).await?;
        let Some(named) = copies.iter().find(|copy| copy.key == key && copy.id == id) else { return Ok(()) };
        let same = copies.iter().filter(|copy| copy.key == key && (copy.id == id || copy.is_same(named)));
        let ids: Vec<&str> = same.map(|copy| copy.id.as_str()).collect();
        let removed: redis::RedisResult<usize> = self.redis.xdel(key, &ids).await;
        removed.map(drop).map_err(Error::redis("remove a dead letter"))
    }

    /// Has its publisher send the event again: then no loss of Redis takes it away. False if no outbox has it.
    async fn publish_again(&self, letter: &DeadLetter) -> Result<bool> {
        let Some(event_id) = letter.event_id() else { return Ok(false) };
        for (_, pool) in &self.databases {
            let update = "UPDATE messaging.outbox
                SET published_at = NULL, mark = NULL, entry_ms = NULL, entry_seq = NULL
                WHERE stream = $1 AND fields ->> 'event_id' = $2";
            let updated = sqlx::query(update).bind(&letter.stream).bind(event_id).execute(pool).await;
            if updated.map_err(Error::sql("publish an event again"))?.rows_affected() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn field<'a>(fields: &'a [(Bytes, Bytes)], name: &str) -> Option<&'a str> {
    let (_, value) = fields.iter().find(|(known, _)| known == name.as_bytes())?;
    str::from_utf8(value).ok()
}

async fn rows(pool: &PgPool) -> Result<Vec<Row>> {
    let select =
        "SELECT id, consumer, stream, entry_id, event_id::text, error, tries, died_at, names, contents,
            replayed_at IS NULL AND discarded_at IS NULL AS open
        FROM messaging.dead_letters ORDER BY id";
    sqlx::query_as(select).fetch_all(pool).await.map_err(Error::sql("read dead letters"))
}

/// The letter is closed and its event appended to the outbox, or neither: the relay of that database publishes it.
async fn replay_by_outbox(pool: &PgPool, id: i64, stream: &str, event: &Value) -> Result<()> {
    let replay = "WITH closed AS (
            UPDATE messaging.dead_letters SET replayed_at = now()
            WHERE id = $1 AND replayed_at IS NULL AND discarded_at IS NULL RETURNING id
        )
        INSERT INTO messaging.outbox (stream, fields) SELECT $2, $3 FROM closed";
    let replayed = sqlx::query(replay).bind(id).bind(stream).bind(event).execute(pool).await;
    replayed.map(drop).map_err(Error::sql("put a dead letter back"))
}

const REPLAYED: &str = "UPDATE messaging.dead_letters SET replayed_at = now()
    WHERE id = $1 AND replayed_at IS NULL AND discarded_at IS NULL AND $2::text IS NULL";
const DISCARDED: &str = "UPDATE messaging.dead_letters SET discarded_at = now(), discard_reason = $2
    WHERE id = $1 AND replayed_at IS NULL AND discarded_at IS NULL";

async fn close(pool: &PgPool, id: i64, statement: &'static str, reason: Option<&str>) -> Result<()> {
    let closed = sqlx::query(statement).bind(id).bind(reason).execute(pool).await;
    closed.map(drop).map_err(Error::sql("close a dead letter"))
}

async fn copies(redis: &mut MultiplexedConnection) -> Result<Vec<Copy>> {
    let failed = || Error::redis("read dead letters");
    let mut keys: Vec<String> = redis.keys(format!("stream:*{COPIES}")).await.map_err(failed())?;
    keys.sort();
    let mut copies = Vec::new();
    for key in keys {
        let mut range = redis::cmd("XRANGE");
        let entries = range.arg(&key).arg("-").arg("+").query_async(redis).await;
        let entries: Vec<(String, Vec<(Bytes, Bytes)>)> = entries.map_err(failed())?;
        copies.extend(entries.into_iter().map(|(id, fields)| Copy::new(key.clone(), id, fields)));
    }
    Ok(copies)
}
