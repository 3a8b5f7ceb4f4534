//! `stack databases -- CMD`: one PostgreSQL for a whole test run.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::sys::signal::Signal;
use tokio::process::Command;

use crate::signals::Signals;
use crate::{Error, Result};
use dev_servers::Postgres;

/// Runs a command with `TEST_POSTGRES_URL` set, and returns the code it ended with.
pub async fn run(command: &[OsString]) -> Result<u8> {
    let (program, args) =
        command.split_first().ok_or_else(|| Error::other("no command was given after --"))?;
    let mut signals = Signals::listen()?;
    let mut postgres = tokio::select! {
        started = Postgres::temporary() => started?,
        () = signals.asked_to_end() => return Ok(130),
    };
    let code = run_with(("TEST_POSTGRES_URL", postgres.url("postgres")), program, args, &mut signals).await;
    postgres.stop().await?;
    code
}

/// Runs a command with one more variable, and returns the code it ended with.
pub(crate) async fn run_with(
    (variable, value): (&str, String),
    program: &OsString,
    args: &[OsString],
    signals: &mut Signals,
) -> Result<u8> {
    let mut child = Command::new(program)
        .args(args)
        .env(variable, value)
        .spawn()
        .map_err(Error::io(format!("start {}", program.display())))?;
    let waited = loop {
        tokio::select! {
            status = child.wait() => break status,
            () = signals.asked_to_end() => pass_on(&child),
        }
    };
    waited.map(code).map_err(Error::io(format!("wait for {}", program.display())))
}

/// Ctrl-C reaches the command through the terminal as well; SIGTERM reaches it only from here.
fn pass_on(child: &tokio::process::Child) {
    if let Some(pid) = child.id() {
        dev_servers::identity::send(pid, Signal::SIGTERM);
    }
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
