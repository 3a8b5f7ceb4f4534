//! Which process is meant: a pid alone is reused after a while, a pid with its start time is not.

use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::Instant;

use super::POLL;

/// A process of this machine, even after its pid went to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its process id, which the system gives to another one some time after its end.
    pub pid: u32,
    started: String,
}

impl Identity {
    /// The process that has this pid now, if there is one.
    pub fn of(pid: u32) -> Option<Self> {
        start_mark(pid).map(|started| Self { pid, started })
    }

    /// Reads what [`Identity::write`] wrote; `None` if there is no such file, or it holds something else.
    pub fn read(file: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(file).ok()?;
        let (pid, started) = text.trim().split_once(' ')?;
        Some(Self { pid: pid.parse().ok()?, started: started.to_owned() })
    }

    /// Keeps it for a later run.
    pub fn write(&self, file: &Path) -> std::io::Result<()> {
        std::fs::write(file, format!("{} {}\n", self.pid, self.started))
    }

    /// Whether exactly this process still runs.
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Sends a signal, unless the process is gone.
    pub fn signal(&self, signal: Signal) {
        if self.is_alive() {
            send(self.pid, signal);
        }
    }

    /// Asks it to end, insists after a while, and returns when it is gone.
    pub async fn stop(&self, first: Signal, grace: std::time::Duration) {
        self.signal(first);
        let deadline = Instant::now() + grace;
        while self.is_alive() && Instant::now() < deadline {
            tokio::time::sleep(POLL).await;
        }
        while self.is_alive() {
            self.signal(Signal::SIGKILL);
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Sends a signal to a process by its pid.
pub fn send(pid: u32, signal: Signal) {
    let Ok(pid) = i32::try_from(pid) else { return };
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => tracing::warn!(pid, %error, "cannot signal the process"),
    }
}

#[cfg(target_os = "linux")]
fn start_mark(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may contain anything, so the fields are counted behind its end.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    let started = fields.nth(18)?;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    (state != "Z").then(|| format!("{}:{started}", boot.trim()))
}

#[cfg(not(target_os = "linux"))]
fn start_mark(pid: u32) -> Option<String> {
    let output =
        std::process::Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The working directory of a process, on systems with /proc.
pub fn working_folder(pid: u32) -> Option<std::path::PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// The resident memory of a process in bytes, on systems with /proc.
pub fn resident_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}
