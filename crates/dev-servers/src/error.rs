//! What can go wrong here, in words for the person in front of the terminal.

use std::path::{Path, PathBuf};

/// A failure with what happened and, where there is one, what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program that this needs is not installed.
    #[error("{tool} was not found. Install it with `make deps`, or: {install}")]
    MissingTool {
        /// The name of its file, as it is looked for in PATH.
        tool: String,
        /// Commands that install it, for the common systems.
        install: &'static str,
    },
    /// A process did not start, or ended although it should run.
    #[error("{name} {reason}{}", log_note(log, tail))]
    Process {
        /// The process, as the person knows it.
        name: String,
        /// What happened to it, to be read after its name.
        reason: String,
        /// Its log, whose end is part of the message.
        log: PathBuf,
        /// The last lines of that log.
        tail: String,
    },
    /// The operating system refused something, such as a file or a process.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, as a verb with its object: "open the log x".
        what: String,
        /// The system's answer, which names the cause.
        source: std::io::Error,
    },
    /// A database refused something that a server is set up with.
    #[error("{what}: {source}")]
    Sql {
        /// What was tried, as a verb with its object.
        what: String,
        /// The database's answer, which names the cause.
        source: sqlx::Error,
    },
    /// Redis refused something, or does not answer.
    #[error("{what}: {source}")]
    Redis {
        /// What was tried, or with what.
        what: String,
        /// Redis' answer, or why there is none.
        source: redis::RedisError,
    },
    /// Everything that is a sentence of its own.
    #[error("{0}")]
    Other(String),
}

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure that is a sentence of its own.
    pub fn other(message: impl Into<String>) -> Self {
        Self::Other(message.into())
    }

    /// Names what was tried when the system refused.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// Names what was tried when a database refused.
    pub fn sql(what: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        let what = what.into();
        move |source| Self::Sql { what, source }
    }

    /// Names what was tried when Redis refused.
    pub fn redis(what: impl Into<String>) -> impl FnOnce(redis::RedisError) -> Self {
        let what = what.into();
        move |source| Self::Redis { what, source }
    }

    /// A process that failed, with the end of its log.
    pub fn process(name: &str, reason: impl Into<String>, log: &Path) -> Self {
        let tail = last_lines(log, 15);
        Self::Process { name: name.to_owned(), reason: reason.into(), log: log.to_owned(), tail }
    }
}

fn log_note(log: &Path, tail: &str) -> String {
    if tail.is_empty() {
        format!(". Its log {} is empty.", log.display())
    } else {
        format!(". The end of its log {}:\n{tail}", log.display())
    }
}

/// The last `count` lines of a file, each indented; empty if it cannot be read.
fn last_lines(file: &Path, count: usize) -> String {
    let text =
        std::fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.len().saturating_sub(count);
    lines[start..].iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
