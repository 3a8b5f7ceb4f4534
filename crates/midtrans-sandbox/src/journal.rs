//! The state file: one JSON entry per line, the last one about a thing counts.
//!
//! Entries are appended by one thread, which writes and syncs what has gathered meanwhile in one go, so hundreds of
//! changes per second share a few syncs. The file is rewritten from memory, by way of a temporary file and a rename,
//! when the process starts and while it runs, so that it does not grow with what is purged.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::order::Order;
use crate::webhooks::Webhook;

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    /// An order as it is now.
    Order(Box<Order>),
    /// The order was purged.
    OrderGone(String),
    /// A notification that waits to be sent.
    Webhook(Webhook),
    /// It is delivered or given up.
    WebhookGone(Uuid),
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system says no.
    #[error("cannot use the state file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds something else, or was edited.
    #[error("the state file {path} is damaged in line {line} ({source}); move it away to start afresh")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

enum Command {
    Append { lines: Vec<u8>, written: oneshot::Sender<()> },
    Rewrite(Vec<u8>),
    Close,
}

/// The way to the writing thread.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    commands: mpsc::UnboundedSender<Command>,
}

/// Resolves when the entries are on the disk; an error means that they may never be.
pub(crate) type Written = oneshot::Receiver<()>;

/// The writing thread, and a sign of its end.
pub(crate) struct Writer {
    pub(crate) thread: JoinHandle<io::Result<()>>,
    pub(crate) ended: oneshot::Receiver<()>,
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

/// Starts the thread on a file that holds exactly these entries.
pub(crate) fn start(path: &Path, entries: &[Entry]) -> Result<(Journal, Writer), JournalError> {
    let io = |source| JournalError::Io { path: path.to_owned(), source };
    let file = rewrite(path, &lines(entries)).map_err(io)?;
    let (commands, inbox) = mpsc::unbounded_channel();
    let (ending, ended) = oneshot::channel();
    let path_of_thread = path.to_owned();
    let work = move || {
        let result = write_all(&path_of_thread, file, inbox);
        drop(ending);
        result
    };
    let thread = thread::Builder::new().name("journal".to_owned()).spawn(work).map_err(io)?;
    Ok((Journal { commands }, Writer { thread, ended }))
}

impl Journal {
    /// Hands entries over; their order is that of the calls.
    pub(crate) fn append(&self, entries: &[Entry]) -> Written {
        let (written, receiver) = oneshot::channel();
        if entries.is_empty() {
            // Nothing to wait for. The receiver is ours, so this cannot fail.
            let _ = written.send(());
        } else {
            // If the thread is gone, so is `written`, and the receiver says so.
            let _ = self.commands.send(Command::Append { lines: lines(entries), written });
        }
        receiver
    }

    /// Replaces the whole file by these entries.
    pub(crate) fn rewrite(&self, entries: &[Entry]) {
        let _ = self.commands.send(Command::Rewrite(lines(entries)));
    }

    /// Lets the thread end after everything handed over so far.
    pub(crate) fn close(&self) {
        let _ = self.commands.send(Command::Close);
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.commands.is_closed()
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

fn write_all(path: &Path, mut file: File, mut inbox: mpsc::UnboundedReceiver<Command>) -> io::Result<()> {
    const BATCH: usize = 1024;
    let mut commands = Vec::new();
    while inbox.blocking_recv_many(&mut commands, BATCH) > 0 {
        let (mut pending, mut waiting) = (Vec::new(), Vec::new());
        for command in commands.drain(..) {
            match command {
                Command::Append { lines, written } => {
                    pending.extend_from_slice(&lines);
                    waiting.push(written);
                }
                // What is pending was in memory when the new content was made, so the new content holds it.
                Command::Rewrite(content) => {
                    pending.clear();
                    file = rewrite(path, &content)?;
                }
                Command::Close => {
                    append(&mut file, &pending)?;
                    confirm(waiting);
                    return Ok(());
                }
            }
        }
        append(&mut file, &pending)?;
        confirm(waiting);
    }
    Ok(())
}

fn append(file: &mut File, lines: &[u8]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    file.write_all(lines)?;
    file.sync_data()
}

fn confirm(waiting: Vec<oneshot::Sender<()>>) {
    for written in waiting {
        // Whoever asked may have gone away meanwhile.
        let _ = written.send(());
    }
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

    use super::{Entry, JournalError, load, start};

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

    #[tokio::test]
    async fn what_is_written_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let (journal, writer) = start(&path, &[gone("a")]).unwrap();
        journal.append(&[gone("b"), gone("c")]).await.unwrap();
        assert_eq!(ids(load(&path).unwrap()), ["a", "b", "c"]);
        journal.rewrite(&[gone("c")]);
        journal.append(&[gone("d")]).await.unwrap();
        assert_eq!(ids(load(&path).unwrap()), ["c", "d"]);
        journal.close();
        writer.thread.join().unwrap().unwrap();
        assert!(journal.append(&[gone("e")]).await.is_err(), "nobody writes any more");
        assert!(!journal.is_alive());
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
