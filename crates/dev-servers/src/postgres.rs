//! A private PostgreSQL on 127.0.0.1: one for a test, without its data surviving, or one whose data stays.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::time::Instant;

use nix::sys::signal::Signal;

use super::{Owner, POLL, Process, Spec, folder, ports, tools};
use crate::{Error, Result};

const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(15);
const SUPERUSER: &str = "postgres";

/// How to run a PostgreSQL whose data stays.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The folder below which it gets the folder `postgres`, and `postgres.secret` with its superuser's password.
    pub data: PathBuf,
    /// The port on 127.0.0.1 that it listens on; it has to be free.
    pub port: u16,
    /// The file that its output is appended to.
    pub log: PathBuf,
    /// Where its identity is kept, so that a later run finds what a killed one left.
    pub pid_file: PathBuf,
    /// Settings beside its own defaults, each `name=value`.
    pub settings: Vec<&'static str>,
}

/// A running PostgreSQL, stopped when dropped.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    port: u16,
    password: Option<String>,
    _temporary: Option<TempDir>,
}

impl Postgres {
    /// One for tests: a free port, a temporary folder, no password, and nothing of it survives a crash.
    pub async fn temporary() -> Result<Self> {
        folder::clean_up_after_killed_runs().await;
        let owner = Owner::for_postgres()?;
        let temporary = folder::temporary(owner)?;
        let data = temporary.path().join("postgres");
        let log = temporary.path().join("postgres.log");
        let port = ports::free()?;
        folder::create(&data)?;
        initialise(&data, owner, None).await?;
        let mut spec = server(&data, &log, owner, port)?.args(FAST.iter().flat_map(|set| ["-c", set]));
        spec.detached = true;
        let process = Process::start(spec).await?;
        let mut server = Self { process, port, password: None, _temporary: Some(temporary) };
        server.ready().await?;
        Ok(server)
    }

    /// One whose data stays. Heals what a killed run left behind: a server that still runs, or its pid file.
    pub async fn start(options: PostgresOptions) -> Result<Self> {
        let owner = Owner::for_postgres()?;
        folder::create(&options.data)?;
        let data = folder::persistent(&options.data, "postgres", owner)?;
        let password = secret(&options.data.join("postgres.secret"))?;
        if !data.join("PG_VERSION").exists() {
            empty(&data)?;
            initialise(&data, owner, Some(&password)).await?;
        }
        folder::stop_postgres_of(&data).await;
        let mut spec = server(&data, &options.log, owner, options.port)?
            .args(options.settings.iter().flat_map(|set| ["-c", set]));
        spec.pid_file = Some(options.pid_file);
        spec.detached = true;
        let process = Process::start(spec).await?;
        let mut server = Self { process, port: options.port, password: Some(password), _temporary: None };
        server.ready().await?;
        Ok(server)
    }

    /// The address of one of its databases, for its superuser.
    pub fn url(&self, database: &str) -> String {
        let password = self.password.as_ref().map(|password| format!(":{password}")).unwrap_or_default();
        format!("postgres://{SUPERUSER}{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The port on 127.0.0.1 that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process, to ask whether it still runs.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Ends it in order; open connections are cut.
    pub async fn stop(&mut self) -> Result<()> {
        self.process.stop(STOP).await
    }

    /// Starts it again after it was stopped.
    pub async fn restart(&mut self) -> Result<()> {
        self.process.restart().await?;
        self.ready().await
    }

    async fn ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START;
        loop {
            self.process.check()?;
            match PgConnection::connect(&self.url("postgres")).await {
                Ok(connection) => return connection.close().await.map_err(Error::sql("close a connection")),
                Err(error) if Instant::now() > deadline => {
                    return Err(self.process.failure(format!("does not answer: {error}")));
                }
                Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }
}

/// Tests need speed and their own small databases, nothing more.
const FAST: &[&str] = &[
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=500",
    "autovacuum=off",
    "shared_buffers=128MB",
    "max_wal_size=4GB",
    "checkpoint_timeout=1h",
];

/// A violated constraint is logged with the row's values, which may be somebody's e-mail address, unless it is terse.
const NO_DATA_IN_LOGS: &[&str] =
    &["log_error_verbosity=terse", "log_parameter_max_length=0", "log_parameter_max_length_on_error=0"];

fn server(data: &Path, log: &Path, owner: Option<Owner>, port: u16) -> Result<Spec> {
    let mut spec = Spec::new("PostgreSQL", tools::postgres("postgres")?, Path::new("/"), log)
        .args(["-D".into(), data.as_os_str().to_owned()])
        .args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""])
        .args(["-c", "logging_collector=off", "-c", "log_timezone=UTC", "-c", "timezone=UTC"])
        .args(NO_DATA_IN_LOGS.iter().flat_map(|set| ["-c", set]));
    spec.owner = owner;
    spec.stop_signal = Signal::SIGINT;
    Ok(spec)
}

async fn initialise(data: &Path, owner: Option<Owner>, password: Option<&str>) -> Result<()> {
    let parent = data.parent().unwrap_or(data);
    let password_file =
        tempfile::NamedTempFile::new_in(parent).map_err(Error::io("write a password file"))?;
    if let Some(owner) = owner {
        owner.own(data)?;
        owner.own(password_file.path())?;
    }
    let log = tempfile::NamedTempFile::new().map_err(Error::io("make a log file"))?;
    let mut spec = Spec::new("initdb", tools::postgres("initdb")?, Path::new("/"), log.path())
        .args(["-D".into(), data.as_os_str().to_owned()])
        .args(["-U", SUPERUSER, "-E", "UTF8", "--no-locale", "--no-sync"]);
    spec = match password {
        None => spec.args(["-A", "trust"]),
        Some(password) => {
            let written = std::fs::write(password_file.path(), password);
            written.map_err(Error::io("write a password file"))?;
            spec.args(["-A", "scram-sha-256"])
                .args(["--pwfile".into(), password_file.path().as_os_str().to_owned()])
        }
    };
    spec.owner = owner;
    let mut process = Process::start(spec).await?;
    let status = process.wait().await?;
    if status.success() { Ok(()) } else { Err(process.failure(format!("failed ({status})"))) }
}

/// What an interrupted initialisation left is in the way of the next one.
fn empty(data: &Path) -> Result<()> {
    let failed = || format!("empty {}", data.display());
    for entry in std::fs::read_dir(data).map_err(Error::io(failed()))?.flatten() {
        let path = entry.path();
        let removed =
            if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        removed.map_err(Error::io(failed()))?;
    }
    Ok(())
}

/// Reads the secret in `file`, made at the first call.
fn secret(file: &Path) -> Result<String> {
    if let Ok(secret) = std::fs::read_to_string(file) {
        return Ok(secret.trim().to_owned());
    }
    let secret = format!("{:032x}", rand::random::<u128>());
    write_private(file, &secret).map_err(Error::io(format!("write {}", file.display())))?;
    Ok(secret)
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    file.write_all(text.as_bytes())
}
