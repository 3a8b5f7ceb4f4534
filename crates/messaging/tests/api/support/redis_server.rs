//! A Redis server of a test's own, on a socket in a temporary folder.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use messaging::Fields;
use redis::{
    AsyncConnectionConfig, Client, FromRedisValue, aio::MultiplexedConnection, cmd, streams::StreamRangeReply,
};
use tempfile::TempDir;

use super::{GROUP, eventually};

pub struct RedisServer {
    folder: TempDir,
    process: Option<Child>,
}

impl RedisServer {
    pub async fn start() -> Self {
        let mut server = Self { folder: TempDir::new().unwrap(), process: None };
        server.resume().await;
        server
    }

    /// Starts the server again, with whatever is in its folder.
    pub async fn resume(&mut self) {
        let process = Command::new("redis-server")
            .args([
                "--port",
                "0",
                "--save",
                "",
                "--appendonly",
                "no",
                "--enable-debug-command",
                "yes",
                "--unixsocket",
            ])
            .arg(self.socket())
            .arg("--dir")
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .spawn();
        self.process = Some(process.expect("redis-server is installed"));
        eventually("redis-server", async || {
            let Ok(mut redis) = self.client().get_multiplexed_async_connection().await else { return false };
            cmd("PING").query_async::<String>(&mut redis).await.is_ok()
        })
        .await;
    }

    /// Ends the server without giving it time to write anything.
    pub fn crash(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub fn wipe(&self) {
        let _ = std::fs::remove_file(self.copy());
    }

    /// Writes a copy of everything, which the next [`Self::resume`] will read.
    pub async fn save(&self) {
        let () = self.ask(cmd("SAVE")).await;
    }

    fn copy(&self) -> PathBuf {
        self.folder.path().join("dump.rdb")
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    pub fn client(&self) -> Client {
        Client::open(format!("redis+unix://{}?db=1", self.socket().display())).unwrap()
    }

    pub async fn connect(&self) -> MultiplexedConnection {
        // On a machine that is busy an answer takes longer than the 500 ms that are usual.
        let patient = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(30)));
        self.client().get_multiplexed_async_connection_with_config(&patient).await.unwrap()
    }

    pub async fn ask<T: FromRedisValue>(&self, cmd: redis::Cmd) -> T {
        cmd.query_async(&mut self.connect().await).await.unwrap()
    }

    pub async fn entries(&self, stream: &str) -> Vec<Fields> {
        let mut range = cmd("XRANGE");
        range.arg(stream).arg("-").arg("+");
        let reply: StreamRangeReply = self.ask(range).await;
        let text = |value: redis::Value| redis::from_redis_value::<String>(value).unwrap();
        reply.ids.into_iter().map(|e| e.map.into_iter().map(|(k, v)| (k, text(v))).collect()).collect()
    }

    /// The numbers that the events of a stream carry, in order.
    pub async fn numbers(&self, stream: &str) -> Vec<i64> {
        self.entries(stream).await.iter().map(|fields| fields["n"].parse().unwrap()).collect()
    }

    pub async fn dead_letters(&self, stream: &str) -> Vec<Fields> {
        self.entries(&format!("{stream}:dlq")).await
    }

    /// How many entries the group was given and has not acknowledged.
    pub async fn pending(&self, stream: &str) -> u64 {
        let mut groups = cmd("XINFO");
        groups.arg("GROUPS").arg(stream);
        let reply: redis::streams::StreamInfoGroupsReply = self.ask(groups).await;
        let group = reply.groups.iter().find(|group| group.name == GROUP);
        group.map_or(0, |group| group.pending as u64 + group.lag.unwrap_or_default() as u64)
    }

    pub async fn create_group(&self, stream: &str, group: &str) {
        let mut create = cmd("XGROUP");
        create.arg("CREATE").arg(stream).arg(group).arg("0").arg("MKSTREAM");
        let () = self.ask(create).await;
    }

    /// A client that reaches it by way of a port.
    pub fn client_by(port: u16) -> Client {
        Client::open(format!("redis://127.0.0.1:{port}/1")).unwrap()
    }

    /// How many commands ended in an error of this kind.
    pub async fn errors(&self, kind: &str) -> u64 {
        let mut info = cmd("INFO");
        info.arg("errorstats");
        let stats: redis::InfoDict = self.ask(info).await;
        let counted: Option<String> = stats.get(&format!("errorstat_{kind}"));
        counted.and_then(|text| text.strip_prefix("count=")?.parse().ok()).unwrap_or_default()
    }

    pub async fn flush(&self) {
        let () = self.ask(cmd("FLUSHALL")).await;
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.crash();
    }
}
