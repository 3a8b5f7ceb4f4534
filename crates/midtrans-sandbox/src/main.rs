//! Starts the local Midtrans, or asks whether it runs.

use std::process::ExitCode;

use clap::Parser;
use midtrans_sandbox::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().execute().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("midtrans-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}
