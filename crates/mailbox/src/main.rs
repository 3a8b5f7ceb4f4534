//! Starts the mailbox.

use std::process::ExitCode;

use clap::Parser;
use mailbox::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().execute().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mailbox: {error}");
            ExitCode::FAILURE
        }
    }
}
