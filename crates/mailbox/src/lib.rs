//! A mail server that delivers nothing: it takes every mail over SMTP, keeps the last ones in memory and shows them on a
//! page, so that a developer sees what the shop sends with no account and no internet.
//!
//! Tour, from the inside out:
//! - `mail.rs` is a mail as it was read, `store.rs` the last ones within bounds.
//! - `smtp/session.rs` is the protocol of one connection as a state machine without IO, on the parser of `smtp-proto`;
//!   `smtp.rs` moves the bytes.
//! - `fault_injection.rs` is what a test or a demo may have go wrong: a server that is down, slow, greylisting, refusing, or
//!   that loses its answer.
//! - `http.rs` and its folder are the page and the JSON API, below `/mail`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use chassis::BoxError;
use chassis::config::Switch;
use chassis::http::bind;
use local_program::LocalProgram;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

mod config;
mod fault_injection;
mod http;
mod mail;
mod smtp;
mod store;

pub use crate::config::Config;
pub use crate::fault_injection::{FaultInjection, InjectedFaults};
pub use crate::mail::Mail;
pub use crate::store::Store;

/// What the SMTP side and the page share.
#[derive(Debug, Default)]
pub struct Mailbox {
    /// The mails that were taken.
    pub store: Store,
    /// What goes wrong on purpose.
    pub fault_injection: FaultInjection,
}

impl LocalProgram for Config {
    const NAME: &'static str = "mailbox";
    const ABOUT: &'static str =
        "A mail server for development: takes every mail, delivers none, and shows the last ones on a page.";

    fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    fn unneeded(&self) -> Option<String> {
        (self.mailbox == Switch::Off).then(|| "MAILBOX is off".to_owned())
    }

    async fn serve(self, shutdown: CancellationToken) -> Result<(), BoxError> {
        let smtp = bind(self.smtp_addr, "MAILBOX_SMTP_ADDR")?;
        let http = bind(self.http_addr, "HTTP_ADDR")?;
        tracing::info!(smtp = %self.smtp_addr, http = %self.http_addr, "mailbox is up");
        Ok(run(Arc::default(), smtp, http, shutdown).await?)
    }
}

/// Takes mails on one listener and shows them on the other, until `shutdown` is cancelled.
///
/// # Errors
/// If HTTP cannot be served.
pub async fn run(
    mailbox: Arc<Mailbox>,
    smtp: TcpListener,
    http: TcpListener,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let service = http::router(mailbox.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(http, service).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let (ended, ()) = tokio::join!(server.into_future(), smtp::serve(mailbox, smtp, shutdown));
    ended
}
