//! The state file: one JSON entry per line, the last one about a thing counts.
//!
//! Each change is appended before it is answered, so it survives this process however that ends; when it reaches the
//! disk is left to the system, because a power cut may cost a local Midtrans its last seconds. The file is rewritten
//! from memory when the process starts and while it runs, so that it does not grow with what is purged.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::order::Order;
use crate::webhooks::Webhook;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    /// An order as it is now.
    Order(Box<Order>),
    /// The order was purged, and with it its transactions.
    OrderGone(String),
    /// A notification that waits to be sent.
    Webhook(Webhook),
    /// It is delivered or given up.
    WebhookGone(Uuid),
}

/// Why the state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused to read or write it.
    #[error("cannot use the state file {path}: {source}")]
    Io {
        /// The state file, as it was given.
        path: PathBuf,
        /// The file system's reason.
        #[source]
        source: io::Error,
    },
    /// It holds something else, or was edited.
    #[error("the state file {path} is damaged in line {line} ({source}); move it away to start afresh")]
    Damaged {
        /// The state file, as it was given.
        path: PathBuf,
        /// The number of the line, counted from 1.
        line: usize,
        /// What is wrong with the line.
        #[source]
        source: serde_json::Error,
    },
}

/// The file while it is written to.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    pub(crate) file: File,
    complete: bool,
}

/// Reads what the file holds; no file is no entries. A torn last line is what a power cut leaves and was never confirmed
/// to anybody.
pub(crate) fn load(path: &Path) -> Result<Vec<Entry>, JournalError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(JournalError::Io { path: path.to_owned(), source }),
    };
    let complete = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if complete < bytes.len() {
        tracing::warn!(
            bytes = bytes.len() - complete,
            "the state file ends in the middle of a line, which is ignored"
        );
    }
    let lines = bytes[..complete].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let parse = |(number, line)| {
        let damaged = |source| JournalError::Damaged { path: path.to_owned(), line: number + 1, source };
        serde_json::from_slice(line).map_err(damaged)
    };
    lines.enumerate().map(parse).collect()
}

impl Journal {
    /// Starts with a file that holds exactly these entries.
    pub(crate) fn create(path: &Path, entries: &[Entry]) -> Result<Self, JournalError> {
        let file = rewrite(path, &lines(entries));
        let file = file.map_err(|source| JournalError::Io { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, complete: true })
    }

    /// Adds entries at the end of the file.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        let written = self.file.write_all(&lines(entries));
        self.complete &= written.is_ok();
        written
    }

    /// Replaces the whole file by these entries.
    pub(crate) fn rewrite(&mut self, entries: &[Entry]) -> io::Result<()> {
        self.file = rewrite(&self.path, &lines(entries))?;
        self.complete = true;
        Ok(())
    }

    /// False once entries were not written: then only a rewrite makes the file whole.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }
}

fn lines(entries: &[Entry]) -> Vec<u8> {
    let mut lines = Vec::new();
    for entry in entries {
        // Every member is a string, a number or a list of those: nothing here can fail to become JSON.
        if serde_json::to_writer(&mut lines, entry).is_ok() {
            lines.push(b'\n');
        }
    }
    lines
}

/// Puts the content in place in one step, so that a crash leaves the old file or the new one.
fn rewrite(path: &Path, content: &[u8]) -> io::Result<File> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    File::open(folder)?.sync_all()?;
    OpenOptions::new().append(true).open(path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use uuid::Uuid;

    use super::{Entry, Journal, JournalError, load};

    fn gone(id: &str) -> Entry {
        Entry::OrderGone(id.to_owned())
    }

    fn ids(entries: Vec<Entry>) -> Vec<String> {
        let id = |entry| match entry {
            Entry::OrderGone(id) => id,
            other => panic!("{other:?}"),
        };
        entries.into_iter().map(id).collect()
    }

    #[test]
    fn what_is_written_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let mut journal = Journal::create(&path, &[gone("a")]).unwrap();
        journal.append(&[gone("b"), gone("c")]).unwrap();
        assert_eq!(ids(load(&path).unwrap()), ["a", "b", "c"]);
        journal.rewrite(&[gone("c")]).unwrap();
        journal.append(&[gone("d")]).unwrap();
        assert_eq!(ids(load(&path).unwrap()), ["c", "d"]);
    }

    #[test]
    fn a_torn_last_line_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        fs::write(&path, "{\"order_gone\":\"a\"}\n{\"order_go").unwrap();
        assert_eq!(ids(load(&path).unwrap()), ["a"]);
    }

    #[test]
    fn a_damaged_file_is_reported_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        fs::write(&path, format!("{{\"webhook_gone\":\"{}\"}}\nnot json\n", Uuid::nil())).unwrap();
        assert!(matches!(load(&path), Err(JournalError::Damaged { line: 2, .. })));
    }

    #[test]
    fn no_file_is_an_empty_state() {
        let folder = tempfile::tempdir().unwrap();
        assert!(load(&folder.path().join("state.json")).unwrap().is_empty());
    }
}
