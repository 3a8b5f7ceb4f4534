//! What the crate logs. Every test is a process of its own, so that it has its own log.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    pub fn record() -> Self {
        let logs = Self::default();
        tracing_subscriber::fmt().with_ansi(false).with_writer(logs.clone()).init();
        logs
    }

    /// The lines of a level that have these words in them.
    pub fn lines(&self, level: &str, words: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned();
        let wanted = |line: &&str| line.contains(level) && line.contains(words);
        text.lines().filter(wanted).map(str::to_owned).collect()
    }
}

impl io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
