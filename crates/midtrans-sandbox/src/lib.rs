//! A local Midtrans, so that the whole purchase works without an account and without the internet.
//!
//! It speaks Snap and the Core API as far as Midtrans' official client libraries use them, shows the hosted payment page,
//! sends signed notifications with Midtrans' retry rules, and has a control API for demos, tests and load.
//!
//! Tour, from the inside out:
//! - `transaction.rs` is the state machine of one attempt to pay, `order.rs` an order with its page and attempts,
//!   `cards.rs` and `method.rs` what customers pay with, `webhooks.rs` the retry rules. All pure.
//! - `state.rs` holds everything in memory, `journal.rs` is the state file, `store.rs` puts the two together.
//! - `commands.rs` has the use cases, `clock.rs` starts those that happen by themselves.
//! - `http.rs` and its folder are the interfaces: `snap.rs`, `core.rs` and `charge.rs` for merchants, `page.rs` for
//!   customers, `control.rs` for tests. `validation.rs` reads requests, `wire.rs` words replies.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use chassis::BoxError;
use local_program::LocalProgram;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::Sandbox;

mod app;
mod cards;
mod clock;
mod commands;
mod config;
mod error;
mod fault_injection;
mod http;
mod journal;
mod method;
mod order;
mod state;
mod store;
mod stored_replies;
mod transaction;
mod validation;
mod webhooks;
mod wib;
mod wire;

pub use crate::config::Config;
pub use crate::journal::JournalError;

/// Why the sandbox ended before `shutdown` resolved.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state file cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Listening, or answering over HTTP, failed.
    #[error("serving HTTP failed: {0}")]
    Serving(io::Error),
    /// No HTTP client could be made.
    #[error("cannot send notifications: {0}")]
    Client(#[from] reqwest::Error),
}

impl LocalProgram for Config {
    const NAME: &'static str = "midtrans-sandbox";
    const ABOUT: &'static str =
        "A local Midtrans: Snap, Core API, payment page, notifications, and a control API for tests.";

    fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    fn unneeded(&self) -> Option<String> {
        let environment = &self.midtrans_environment;
        (environment != "local").then(|| format!("MIDTRANS_ENVIRONMENT is {environment:?}, not \"local\""))
    }

    async fn serve(self, shutdown: CancellationToken) -> Result<(), BoxError> {
        let listener = chassis::http::bind(self.http_addr, "HTTP_ADDR")?;
        Ok(run(listener, self, shutdown.cancelled_owned()).await?)
    }
}

/// How long requests in hand may take to finish.
const GRACE: Duration = Duration::from_secs(10);

/// Serves on the listener until `shutdown` resolves; the state is in its file when this returns.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let app = Sandbox::open(config)?;
    let stop = CancellationToken::new();
    let clock = clock::run(app.clone(), webhooks::http_client()?, stop.clone());
    let service = http::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
    tracing::info!(state_file = %app.config.sandbox_state_file.display(), "the local Midtrans is ready");

    let mut work = pin!(async { tokio::join!(server.into_future(), clock).0 });
    let outcome = tokio::select! {
        () = shutdown => {
            stop.cancel();
            tokio::time::timeout(GRACE, &mut work).await.unwrap_or(Ok(()))
        }
        outcome = &mut work => outcome,
    };
    outcome.map_err(RunError::Serving)
}
