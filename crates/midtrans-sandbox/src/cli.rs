//! The command line: `serve` and `healthcheck`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::{Config, run};

/// A local Midtrans: Snap, Core API, payment page, notifications, and a control API for tests.
#[derive(Debug, Parser)]
#[command(name = "midtrans-sandbox", version)]
pub struct Cli {
    /// What to do; `serve` if not given.
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    config: Config,

    /// This local Midtrans runs in development only: anybody may pay here without money.
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
    /// Run the local Midtrans.
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
    pub async fn execute(self) -> Result<(), BoxError> {
        init_logs(&self.log_level, self.log_format)?;
        match self.command.unwrap_or(Command::Serve) {
            Command::Serve if self.app_env == AppEnv::Production => {
                tracing::info!("APP_ENV is not \"development\": the local Midtrans is for development only");
                Ok(())
            }
            Command::Serve => serve(self.config).await,
            Command::Healthcheck => healthcheck(self.config.http_addr).await,
        }
    }
}

async fn serve(config: Config) -> Result<(), BoxError> {
    if config.midtrans_environment != "local" {
        let environment = &config.midtrans_environment;
        tracing::info!(
            "MIDTRANS_ENVIRONMENT is {environment:?}, not \"local\": the local Midtrans is not needed"
        );
        return Ok(());
    }
    let listener = listen(config.http_addr)
        .map_err(|error| format!("cannot listen on {}: {error}", config.http_addr))?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let shutdown = async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    };
    Ok(run(listener, config, shutdown).await?)
}

/// A burst of payment pages fits into what may wait to be accepted.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

async fn healthcheck(listening: SocketAddr) -> Result<(), BoxError> {
    let ip = if listening.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { listening.ip() };
    let url = format!("http://{}/health/live", SocketAddr::new(ip, listening.port()));
    let client = reqwest::Client::builder().timeout(Duration::from_secs(3)).build()?;
    client.get(url).send().await?.error_for_status()?;
    Ok(())
}

fn init_logs(level: &str, format: LogFormat) -> Result<(), BoxError> {
    let filter = EnvFilter::try_new(level).map_err(|error| format!("LOG_LEVEL {level:?}: {error}"))?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter);
    match format {
        LogFormat::Json => {
            logs.json().flatten_event(true).with_current_span(true).with_span_list(false).init();
        }
        LogFormat::Pretty => logs.init(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_runs_in_development_only() {
        let production = Cli::parse_from(["midtrans-sandbox", "--http-addr=127.0.0.1:0"]);
        assert_eq!(production.app_env, AppEnv::Production, "unless it says otherwise");
        production.execute().await.unwrap();
        let development = Cli::parse_from(["midtrans-sandbox", "serve", "--app-env=development"]);
        assert_eq!(development.app_env, AppEnv::Development);
    }
}
