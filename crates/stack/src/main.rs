//! The local runner: `stack --help` lists what it does.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use stack::prepare::Mode;

/// Runs the whole shop on this machine: six services, nginx, PostgreSQL, Redis and a local Midtrans.
#[derive(Debug, Parser)]
#[command(name = "stack", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a command with a temporary PostgreSQL, whose address it finds in TEST_POSTGRES_URL.
    Databases {
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Write (or compare) the .sqlx folders, which let the project build with no database.
    Sqlx {
        /// Change nothing; fail if a folder is out of date.
        #[arg(long)]
        check: bool,
        /// The crates to prepare; all that talk to a database if none is named.
        crates: Vec<String>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("stack: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> stack::Result<u8> {
    match command {
        Command::Databases { command } => stack::databases::run(&command).await,
        Command::Sqlx { check, crates } => {
            let mode = if check { Mode::Check } else { Mode::Write };
            stack::prepare::run(&crates, mode).await.map(|()| 0)
        }
    }
}
