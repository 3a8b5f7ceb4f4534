//! Configuration: every setting is a flag and an environment variable; `--help` lists them.

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;

/// How one sandbox is set up.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Where to listen.
    #[arg(long, env, default_value = "0.0.0.0:8090")]
    pub http_addr: SocketAddr,

    /// This local Midtrans runs only while this is `local`; `sandbox` and `production` are Midtrans' own.
    #[arg(long, env, default_value = "local")]
    pub midtrans_environment: String,

    /// The server key callers have to present and notifications are signed with.
    #[arg(
        long,
        global = true,
        env = "MIDTRANS_SERVER_KEY",
        default_value = "SB-Mid-server-local",
        hide_env_values = true
    )]
    pub midtrans_server_key: SecretString,

    /// The address customers reach the shop at; payment pages are at /midtrans below it.
    #[arg(long, env, default_value = "http://localhost:8080")]
    pub public_url: String,

    /// The file the state survives a restart in, one JSON entry per line.
    #[arg(long, env, default_value = "./midtrans-sandbox.json")]
    pub sandbox_state_file: PathBuf,

    /// Where notifications are sent.
    #[arg(
        long,
        global = true,
        env = "SANDBOX_NOTIFICATION_URL",
        default_value = "http://payment-service:8085/api/v1/payment/webhook"
    )]
    pub sandbox_notification_url: String,

    /// Divides Midtrans' own waits: retries of notifications, slow cards, the bank's confirmation of a refund.
    #[arg(long, env, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub sandbox_speedup: u32,
}

impl Config {
    pub(crate) fn page_url(&self, token: &str) -> String {
        format!("{}/midtrans/snap/v4/redirection/{token}", self.public_url.trim_end_matches('/'))
    }
}
