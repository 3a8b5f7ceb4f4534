//! The command line: `serve` and `healthcheck`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::config::Switch;
use crate::{Config, Mailbox, run};

/// A mail server for development: takes every mail, delivers none, and shows the last ones on a page.
#[derive(Debug, Parser)]
#[command(name = "mailbox", version)]
pub struct Cli {
    /// What to do; `serve` if not given.
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    config: Config,

    /// It runs in development only: everybody who reaches its page reads all mails.
    #[arg(long, global = true, env = "APP_ENV", value_enum, default_value_t = AppEnv::Production)]
    app_env: AppEnv,

    /// Which messages are logged.
    #[arg(long, global = true, env = "LOG_LEVEL", default_value = "info")]
    log_level: String,

    /// How they are written.
    #[arg(long, global = true, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Command {
    /// Run the mailbox.
    Serve,
    /// Ask a running one whether it lives: exit code 0 or 1.
    Healthcheck,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AppEnv {
    Development,
    Production,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Json,
    Pretty,
}

/// Anything that ends the process with a message.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    /// If it cannot listen, or the one that was asked does not live.
    pub async fn execute(self) -> Result<(), BoxError> {
        init_logs(&self.log_level, self.log_format)?;
        match self.command.unwrap_or(Command::Serve) {
            Command::Healthcheck => healthcheck(self.config.http_addr).await,
            Command::Serve if self.app_env == AppEnv::Production => {
                tracing::info!("APP_ENV is not \"development\": the mailbox is for development only");
                Ok(())
            }
            Command::Serve if self.config.mailbox == Switch::Off => {
                tracing::info!("MAILBOX is off: the mailbox is not needed");
                Ok(())
            }
            Command::Serve => serve(&self.config).await,
        }
    }
}

async fn serve(config: &Config) -> Result<(), BoxError> {
    let (smtp, http) = (bind(config.smtp_addr).await?, bind(config.http_addr).await?);
    let shutdown = CancellationToken::new();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tracing::info!(smtp = %config.smtp_addr, http = %config.http_addr, "mailbox is up");
    let running = run(Arc::new(Mailbox::default()), smtp, http, shutdown.clone());
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return Ok(ended?),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    shutdown.cancel();
    Ok(running.await?)
}

async fn bind(address: SocketAddr) -> Result<TcpListener, BoxError> {
    Ok(TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?)
}

async fn healthcheck(listening: SocketAddr) -> Result<(), BoxError> {
    let ip = if listening.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { listening.ip() };
    let url = format!("http://{}/health/live", SocketAddr::new(ip, listening.port()));
    let client = reqwest::Client::builder().timeout(Duration::from_secs(3)).no_proxy().build()?;
    client.get(url).send().await?.error_for_status()?;
    Ok(())
}

fn init_logs(level: &str, format: LogFormat) -> Result<(), BoxError> {
    let filter = EnvFilter::try_new(level).map_err(|error| format!("LOG_LEVEL {level:?}: {error}"))?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter);
    match format {
        LogFormat::Json => logs.json().flatten_event(true).init(),
        LogFormat::Pretty => logs.init(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_runs_in_development_only() {
        let production = Cli::parse_from(["mailbox", "--http-addr=127.0.0.1:0", "--smtp-addr=127.0.0.1:0"]);
        assert_eq!(production.app_env, AppEnv::Production, "unless it says otherwise");
        production.execute().await.unwrap();
    }
}
