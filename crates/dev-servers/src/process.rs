//! A child process with a log file, an identity on disk and an orderly end.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::identity::{Identity, send};
use super::{Owner, POLL};
use crate::{Error, Result};

/// How long the children of a process that was killed may take to end.
const ORPHANS: Duration = Duration::from_secs(2);

/// How to start a process, and how to end it.
#[derive(Debug, Clone)]
pub struct Spec {
    /// What messages call it, such as `order-service`.
    pub name: String,
    /// The file to run, found already: PATH is not searched.
    pub program: PathBuf,
    /// The arguments after the program's name.
    pub args: Vec<OsString>,
    /// Its variables; with `clean_env`, the only ones beside PATH.
    pub env: Vec<(String, String)>,
    /// Whether variables of this process are kept from it.
    pub clean_env: bool,
    /// The folder that it works in.
    pub folder: PathBuf,
    /// The file that its output and errors are appended to.
    pub log: PathBuf,
    /// Who runs it, if not the user who runs this.
    pub owner: Option<Owner>,
    /// A text that is written to its standard input, where other users cannot read it; nothing if absent.
    pub input: Option<String>,
    /// Whether it keeps out of the terminal's group, so that Ctrl-C reaches this process alone and it can stop the others in order.
    pub detached: bool,
    /// Where its identity is kept for the next run.
    pub pid_file: Option<PathBuf>,
    /// The signal that ends it in order.
    pub stop_signal: Signal,
}

impl Spec {
    /// A process that runs in `folder` and logs to `log`.
    pub fn new(name: &str, program: impl Into<PathBuf>, folder: &Path, log: &Path) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            clean_env: false,
            folder: folder.to_owned(),
            log: log.to_owned(),
            owner: None,
            input: None,
            detached: false,
            pid_file: None,
            stop_signal: Signal::SIGTERM,
        }
    }

    /// Adds arguments at the end of those there are.
    #[must_use]
    pub fn args<I: IntoIterator<Item: Into<OsString>>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    fn command(&self, output: File) -> Result<Command> {
        let errors = output.try_clone().map_err(Error::io("duplicate a log file"))?;
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.folder);
        command.stdout(output).stderr(errors).kill_on_drop(true);
        command.stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() });
        if self.clean_env {
            command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(owner) = self.owner {
            command.uid(owner.uid).gid(owner.gid);
        }
        if self.detached {
            command.process_group(0);
        }
        Ok(command)
    }
}

/// A running child, killed when dropped.
#[derive(Debug)]
pub struct Process {
    spec: Spec,
    child: Child,
    identity: Option<Identity>,
}

impl Process {
    /// Starts it. It may end immediately: see [`Process::exited`].
    pub async fn start(spec: Spec) -> Result<Self> {
        let output = OpenOptions::new().create(true).append(true).open(&spec.log);
        let output = output.map_err(Error::io(format!("open the log {}", spec.log.display())))?;
        let spawned = spec.command(output)?.spawn();
        let mut child =
            spawned.map_err(Error::io(format!("start {} ({})", spec.name, spec.program.display())))?;
        let identity = child.id().and_then(Identity::of);
        if let (Some(file), Some(identity)) = (&spec.pid_file, &identity) {
            identity.write(file).map_err(Error::io(format!("write {}", file.display())))?;
        }
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), &spec.input) {
            use tokio::io::AsyncWriteExt;
            stdin.write_all(input.as_bytes()).await.map_err(Error::io(format!("configure {}", spec.name)))?;
        }
        Ok(Self { spec, child, identity })
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Where it writes its log.
    pub fn log(&self) -> &Path {
        &self.spec.log
    }

    /// Its process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until it ends, however long that takes.
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        self.child.wait().await.map_err(Error::io(format!("wait for {}", self.spec.name)))
    }

    /// A failure of this process, with the end of its log.
    pub fn failure(&self, reason: impl Into<String>) -> Error {
        Error::process(&self.spec.name, reason, &self.spec.log)
    }

    /// An error if it has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.exited() {
            Some(status) => Err(self.failure(format!("ended too early ({status})"))),
            None => Ok(()),
        }
    }

    /// Asks it to end, insists after `grace`, and returns when it is gone.
    pub async fn stop(&mut self, grace: Duration) -> Result<()> {
        self.signal(self.spec.stop_signal);
        if tokio::time::timeout(grace, self.child.wait()).await.is_err() {
            tracing::warn!(name = self.spec.name, "did not end in time, killing it");
        }
        self.kill().await
    }

    /// Ends it at once, as a crash would.
    pub async fn kill(&mut self) -> Result<()> {
        self.child
            .kill()
            .await
            .or_else(ignore_gone)
            .map_err(Error::io(format!("kill {}", self.spec.name)))?;
        if let Some(file) = &self.spec.pid_file {
            remove_pid_file(file, self.identity.as_ref());
        }
        Ok(())
    }

    /// Freezes it where it is, as a machine that swaps or a debugger would: it keeps its connections and answers nothing.
    /// So do its children, if it has a group of its own.
    pub fn freeze(&self) {
        self.signal_all(Signal::SIGSTOP);
    }

    /// Lets a frozen process go on.
    pub fn thaw(&self) {
        self.signal_all(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.child.id() {
            send(pid, signal);
        }
    }

    fn signal_all(&self, signal: Signal) {
        match self.group() {
            Some(group) => drop(killpg(group, signal)),
            None => self.signal(signal),
        }
    }

    /// Its group, if it runs and has one of its own.
    fn group(&self) -> Option<Pid> {
        let pid = self.child.id().filter(|_| self.spec.detached)?;
        i32::try_from(pid).ok().map(Pid::from_raw)
    }

    /// Its children, if it has a group of its own: they outlive a kill, and keep its port or its memory.
    async fn end_orphans(&self) {
        let Some(group) = self.identity.as_ref().filter(|_| self.spec.detached) else { return };
        let Ok(group) = i32::try_from(group.pid).map(Pid::from_raw) else { return };
        let deadline = Instant::now() + ORPHANS;
        while killpg(group, Signal::SIGKILL).is_ok() && Instant::now() < deadline {
            tokio::time::sleep(POLL).await;
        }
    }

    /// Starts it again as it was, after its end.
    pub async fn restart(&mut self) -> Result<()> {
        self.kill().await?;
        self.end_orphans().await;
        *self = Self::start(self.spec.clone()).await?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its own children go with it.
        if let Some(group) = self.group() {
            let _gone_already = killpg(group, Signal::SIGKILL);
        }
    }
}

fn ignore_gone(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::InvalidInput { Ok(()) } else { Err(error) }
}

/// Removes a pid file, unless it belongs to a newer process.
fn remove_pid_file(file: &Path, identity: Option<&Identity>) {
    if Identity::read(file).as_ref() == identity {
        drop(std::fs::remove_file(file));
    }
}
