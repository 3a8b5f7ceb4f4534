//! A private Redis on 127.0.0.1, which never evicts and, if it shall, keeps its data.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;

use super::{POLL, Process, Spec, folder, ports, tools};
use crate::{Error, Result};

const START: Duration = Duration::from_secs(15);
const STOP: Duration = Duration::from_secs(10);

/// How to run a Redis. The default is one for a test: a free port, a temporary folder, no password, and what it
/// holds is gone when it ends.
#[derive(Debug, Clone, Default)]
pub struct RedisOptions {
    /// Its port on 127.0.0.1; a free one if absent.
    pub port: Option<u16>,
    /// Its password, if it asks for one.
    pub password: Option<String>,
    /// Whether it writes every change to an append-only file before it answers for it, so that it survives a kill.
    pub persistent: bool,
    /// Its folder; a temporary one if absent.
    pub folder: Option<PathBuf>,
    /// Where it logs; into its folder if absent.
    pub log: Option<PathBuf>,
    /// Where its identity is kept for the next run.
    pub pid_file: Option<PathBuf>,
    /// Whether Ctrl-C in the terminal is kept from it.
    pub detached: bool,
}

/// A running Redis, killed when dropped.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    port: u16,
    password: Option<String>,
    _temporary: Option<TempDir>,
}

impl Redis {
    /// Starts it and returns when it answers.
    pub async fn start(options: RedisOptions) -> Result<Self> {
        let temporary = if options.folder.is_none() { Some(folder::temporary(None)?) } else { None };
        let own =
            options.folder.as_deref().or(temporary.as_ref().map(TempDir::path)).unwrap_or(Path::new("."));
        folder::create(own)?;
        let port = options.port.map_or_else(ports::free, Ok)?;
        let log = options.log.clone().unwrap_or_else(|| own.join("redis.log"));
        let mut spec = Spec::new("Redis", tools::redis()?, own, &log).args(["-"]);
        spec.input = Some(configuration(&options, own, port));
        spec.pid_file = options.pid_file;
        spec.detached = options.detached;
        let process = Process::start(spec).await?;
        let mut redis = Self { process, port, password: options.password, _temporary: temporary };
        redis.ready().await?;
        Ok(redis)
    }

    /// The port on 127.0.0.1 that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its password, if it has one.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The address of one of its numbered databases.
    pub fn url(&self, database: u8) -> String {
        url("127.0.0.1", self.port, self.password.as_deref(), database)
    }

    /// The process, to ask whether it still runs.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Ends it at once, as a crash would.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.kill().await
    }

    /// Ends it in order; what it has to keep is written then.
    pub async fn stop(&mut self) -> Result<()> {
        self.process.stop(STOP).await
    }

    /// Starts it again on the same port and folder, and returns when it answers.
    pub async fn restart(&mut self) -> Result<()> {
        self.process.restart().await?;
        self.ready().await
    }

    async fn ready(&mut self) -> Result<()> {
        let client = ::redis::Client::open(self.url(0)).map_err(Error::redis("the address of Redis"))?;
        let deadline = Instant::now() + START;
        loop {
            self.process.check()?;
            match ping(&client).await {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() > deadline => {
                    return Err(self.process.failure(format!("does not answer: {error}")));
                }
                Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }
}

/// The URL of a numbered database of a Redis, with the password escaped.
pub fn url(host: &str, port: u16, password: Option<&str>, database: u8) -> String {
    let encoded =
        password.unwrap_or_default().bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"));
    let password = if encoded.is_empty() { encoded } else { format!(":{encoded}@") };
    format!("redis://{password}{host}:{port}/{database}")
}

async fn ping(client: &::redis::Client) -> ::redis::RedisResult<()> {
    let mut connection = client.get_multiplexed_async_connection().await?;
    ::redis::cmd("PING").query_async(&mut connection).await
}

/// Given on standard input: a password on the command line could be read by every user.
fn configuration(options: &RedisOptions, folder: &Path, port: u16) -> String {
    let append = if options.persistent { "yes" } else { "no" };
    let password = options.password.as_ref().map(|password| format!("requirepass {}\n", quoted(password)));
    format!(
        "port {port}\nbind 127.0.0.1\ndaemonize no\ndir {}\nappendonly {append}\nappendfsync everysec\n\
         save \"\"\nmaxmemory-policy noeviction\n{}",
        quoted(&folder.display().to_string()),
        password.unwrap_or_default()
    )
}

/// A text as Redis' configuration reads it back.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
