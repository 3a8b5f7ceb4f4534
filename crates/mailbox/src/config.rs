//! The settings of the mailbox.

use std::net::SocketAddr;

use chassis::config::Switch;
use clap::Args;

/// The settings of the mailbox.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Whether it is wanted: `off` has it end at once, as where a real mail server is used.
    #[arg(long, env, value_enum, ignore_case = true, default_value = "on")]
    pub mailbox: Switch,
    /// Where the page and the JSON API are answered.
    #[arg(long, env, default_value = "0.0.0.0:8091")]
    pub http_addr: SocketAddr,
    /// Where mails are taken, over SMTP without TLS.
    #[arg(long, env = "MAILBOX_SMTP_ADDR", default_value = "0.0.0.0:2525")]
    pub smtp_addr: SocketAddr,
}
