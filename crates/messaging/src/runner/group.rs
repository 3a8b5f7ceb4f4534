//! What a consumer of a consumer group asks of Redis.

use std::{sync::LazyLock, time::Duration};

use chassis::failpoint::around;
use contracts::events::Fields;
use redis::{RedisResult, Script, aio::MultiplexedConnection, cmd};

use super::retry::Entry;

/// How long a read waits for something to come; a shutdown has Redis end it earlier.
pub(super) const BLOCK: Duration = Duration::from_secs(3);
/// Ids per command: Redis serves nobody else during one.
const CHUNK: usize = 500;

static DEAD_LETTER: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("dead_letter.lua")));
static FIRST_TRY: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("first_try.lua")));
static REMOVE_IDLE_CONSUMERS: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("remove_idle_consumers.lua")));

/// An entry as Redis returns it; one that was deleted while it was pending has no fields.
type Raw = (String, Option<Vec<(Vec<u8>, Vec<u8>)>>);

/// One consumer of a group, on a connection of its own: a blocking read would hold up whatever shares it.
#[derive(Clone)]
pub(super) struct GroupConsumer {
    pub redis: MultiplexedConnection,
    pub stream: &'static str,
    pub group: &'static str,
    pub consumer: String,
    pub count: usize,
}

impl GroupConsumer {
    /// Makes the group if there is none, so that it reads from the very first entry.
    pub(super) async fn create_group(&mut self) -> RedisResult<()> {
        let mut create = cmd("XGROUP");
        create.arg("CREATE").arg(self.stream).arg(self.group).arg("0").arg("MKSTREAM");
        match create.query_async(&mut self.redis).await {
            // A full Redis creates no group, but the group may exist already; if it does not, the read fails.
            Err(error) if matches!(error.code(), Some("BUSYGROUP" | "OOM")) => Ok(()),
            result => result,
        }
    }

    /// The number by which Redis knows the connection.
    pub(super) async fn connection_id(&mut self) -> RedisResult<i64> {
        cmd("CLIENT").arg("ID").query_async(&mut self.redis).await
    }

    /// Ends the read that waits on another connection, as if nothing had come.
    pub(super) async fn end_read(&mut self, connection: i64) -> RedisResult<()> {
        cmd("CLIENT").arg("UNBLOCK").arg(connection).exec_async(&mut self.redis).await
    }

    /// Entries that are pending with this consumer, after the given id.
    pub(super) async fn read_own(&mut self, after: &str) -> RedisResult<Vec<Entry>> {
        self.read(None, after).await
    }

    /// Entries that no consumer has got yet, as soon as there are any.
    pub(super) async fn read_new(&mut self) -> RedisResult<Vec<Entry>> {
        self.read(Some(BLOCK), ">").await
    }

    async fn read(&mut self, block: Option<Duration>, after: &str) -> RedisResult<Vec<Entry>> {
        let mut read = cmd("XREADGROUP");
        read.arg("GROUP").arg(self.group).arg(&self.consumer).arg("COUNT").arg(self.count);
        if let Some(block) = block {
            read.arg("BLOCK").arg(millis(block));
        }
        read.arg("STREAMS").arg(self.stream).arg(after);
        let streams: Vec<(String, Vec<Raw>)> = read.query_async(&mut self.redis).await?;
        Ok(entries(streams.into_iter().flat_map(|(_, raw)| raw)))
    }

    /// Takes over entries that nobody has shown an interest in for a while. Returns where to go on, `0-0` for the end.
    pub(super) async fn claim(&mut self, idle: Duration, from: &str) -> RedisResult<(String, Vec<Entry>)> {
        let mut claim = cmd("XAUTOCLAIM");
        claim.arg(self.stream).arg(self.group).arg(&self.consumer);
        claim.arg(millis(idle)).arg(from).arg("COUNT").arg(self.count);
        let (next, raw, _deleted): (String, Vec<Raw>, Vec<String>) =
            claim.query_async(&mut self.redis).await?;
        Ok((next, entries(raw)))
    }

    /// Says of pending entries how long they have been idle: zero keeps others from claiming them, long invites them.
    pub(super) async fn set_idle(&mut self, ids: &[&str], idle: Duration) -> RedisResult<()> {
        let mut pipe = redis::pipe();
        for ids in ids.chunks(CHUNK) {
            let claim = pipe.cmd("XCLAIM").arg(self.stream).arg(self.group).arg(&self.consumer);
            claim.arg(0).arg(ids).arg("IDLE").arg(millis(idle)).arg("JUSTID").ignore();
        }
        if ids.is_empty() { Ok(()) } else { pipe.query_async(&mut self.redis).await }
    }

    /// Acknowledges entries: Redis does not deliver them to the group again.
    pub(super) async fn ack(&mut self, ids: &[String]) -> RedisResult<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut ack = cmd("XACK");
        ack.arg(self.stream).arg(self.group).arg(ids);
        around("acknowledging", self.stream, ack.query_async(&mut self.redis)).await
    }

    /// Makes a dead letter of a pending entry, in one step with acknowledging it.
    pub(super) async fn dead_letter(&mut self, id: &str, error: &str, tries: u32) -> RedisResult<()> {
        let mut dead_letter = DEAD_LETTER.prepare_invoke();
        dead_letter.key(self.stream).key(format!("{}:dlq", self.stream));
        dead_letter.arg(self.group).arg(id).arg(error).arg(tries);
        dead_letter.invoke_async(&mut self.redis).await
    }

    /// For how long an entry has been tried in vain, by whichever process. The note of it is kept for `keep`.
    ///
    /// A Redis that takes nothing in has no answer; then this try counts as the first.
    pub(super) async fn tried_for(&mut self, id: &str, keep: Duration) -> Duration {
        let mut first = FIRST_TRY.prepare_invoke();
        first.key(format!("first-try:{}:{}:{id}", self.group, self.stream)).arg(millis(keep));
        let ms: RedisResult<u64> = first.invoke_async(&mut self.redis).await;
        Duration::from_millis(ms.unwrap_or_default())
    }

    /// Removes consumers that are gone: idle for long, with nothing pending.
    pub(super) async fn remove_idle_consumers(&mut self, idle: Duration) -> RedisResult<()> {
        let mut remove_idle_consumers = REMOVE_IDLE_CONSUMERS.prepare_invoke();
        remove_idle_consumers.key(self.stream).arg(self.group).arg(&self.consumer).arg(millis(idle));
        remove_idle_consumers.invoke_async(&mut self.redis).await
    }
}

fn entries(raw: impl IntoIterator<Item = Raw>) -> Vec<Entry> {
    raw.into_iter().map(|(id, pairs)| entry(id, pairs.unwrap_or_default())).collect()
}

/// An entry that is no flat map of texts is no event of ours: whoever decodes it gets replacement characters and refuses
/// it, and its dead letter gets the bytes.
fn entry(id: String, pairs: Vec<(Vec<u8>, Vec<u8>)>) -> Entry {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let fields: Fields = pairs.iter().map(|(name, value)| (text(name), text(value))).collect();
    let is_text =
        |(name, value): &(Vec<u8>, Vec<u8>)| str::from_utf8(name).is_ok() && str::from_utf8(value).is_ok();
    let exact = fields.len() == pairs.len() && pairs.iter().all(is_text);
    Entry { bytes: (!exact).then_some(pairs), ..Entry::new(id, fields) }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
