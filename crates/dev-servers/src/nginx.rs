//! nginx with the project's own template, as any user and without a root folder.

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Uid;
use tokio::process::Command;

use super::{Process, Spec, folder, tools};
use crate::{Error, Result};

const STOP: Duration = Duration::from_secs(5);

/// How to run an nginx as the shop's gateway.
#[derive(Debug, Clone)]
pub struct NginxOptions {
    /// The folder with the template, render.sh and html/.
    pub source: PathBuf,
    /// Where it keeps its pid and temporary files.
    pub folder: PathBuf,
    /// Where it logs: its own words, and `access.log` in the same folder.
    pub log: PathBuf,
    /// Values for render.sh, beside those that this knows.
    pub variables: Vec<(String, String)>,
    /// Where its identity is kept for the next run.
    pub pid_file: Option<PathBuf>,
    /// Whether Ctrl-C in the terminal is kept from it.
    pub detached: bool,
}

/// A running nginx, killed when dropped.
#[derive(Debug)]
pub struct Nginx {
    process: Process,
}

impl Nginx {
    /// Renders the template and starts it.
    pub async fn start(options: NginxOptions) -> Result<Self> {
        let config = options.folder.join("nginx.conf");
        folder::create(&options.folder)?;
        std::fs::write(&config, rendered(&options).await?)
            .map_err(Error::io(format!("write {}", config.display())))?;
        let mut spec = Spec::new("nginx", tools::nginx()?, &options.folder, &options.log)
            .args(["-e", "stderr", "-p"])
            .args([options.folder.as_os_str(), "-c".as_ref(), config.as_os_str()])
            .args(["-g".to_owned(), directives(options.detached)]);
        spec.stop_signal = Signal::SIGQUIT;
        spec.pid_file = options.pid_file;
        spec.detached = options.detached;
        Ok(Self { process: Process::start(spec).await? })
    }

    /// The process, to ask whether it still runs.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Ends it after the requests in hand.
    pub async fn stop(&mut self) -> Result<()> {
        self.process.stop(STOP).await
    }
}

/// Root's workers would otherwise become a user that cannot read a clone in root's home. A test may be killed at any
/// moment, so there nginx is one process, which leaves no workers behind.
fn directives(detached: bool) -> String {
    let user = if Uid::effective().is_root() { " user root;" } else { "" };
    let single = if detached { "" } else { " master_process off;" };
    format!("daemon off;{user}{single}")
}

/// The template with its variables filled in, as in a container.
async fn rendered(options: &NginxOptions) -> Result<Vec<u8>> {
    let script = options.source.join("render.sh");
    let access_log = options.log.with_file_name("access.log");
    let output = Command::new("sh")
        .arg(&script)
        .env("WEB_ROOT", options.source.join("html"))
        .env("RUN_DIR", &options.folder)
        .env("ACCESS_LOG", access_log)
        .env("ERROR_LOG", "stderr")
        .envs(options.variables.iter().map(|(name, value)| (name, value)))
        .output()
        .await
        .map_err(Error::io(format!("run {}", script.display())))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::other(String::from_utf8_lossy(&output.stderr).trim()))
}
