//! What is done to the project itself: `xtask --help` lists it, and the Makefile calls it.
#![allow(clippy::print_stdout, reason = "a command-line program talks on standard output")]

mod openapi;
mod sqlx;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use dev_servers::Result;

/// Writes and checks the files of this project that are generated.
#[derive(Debug, Parser)]
#[command(name = "xtask", version)]
enum Command {
    /// Compare the API documents with those of an earlier revision; fail if a client of theirs would break.
    OpenapiBreaking {
        /// The revision [default: where this branch left origin/main, or the commit before]
        #[arg(long)]
        base: Option<String>,
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
    match run(Command::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<bool> {
    match command {
        Command::OpenapiBreaking { base } => openapi::run(&root(), base.as_deref()),
        Command::Sqlx { check, crates } => sqlx::run(&root(), &crates, check).await.map(|()| true),
    }
}

/// The project that this program was built from.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}
