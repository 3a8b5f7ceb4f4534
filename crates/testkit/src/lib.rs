//! What the tests of the services are written with: a service on real ports with a database and a Redis of its own,
//! actors who speak to it, and events to give it. A dev-dependency only.
//!
//! Tests run under `make test`, which starts PostgreSQL; each test gets a fresh database, copied from a template that
//! was migrated once. Nothing here sleeps for a fixed time: [`eventually`] waits for a condition.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test may panic")]

mod actor;
mod app;
mod codes;
mod database;
mod events;
mod sample;

use std::time::{Duration, Instant};

pub use actor::{Actor, Reply};
pub use app::{TestService, claims, production_flags, serve_grpc};
pub use codes::undocumented;
pub use database::TestDatabase;
pub use dev_servers::{Proxy, Upstream};
pub use events::{deliver, envelope, redeliver};
pub use sample::{Sample, SampleConfig, SampleRoutes};

/// How long a condition may take to come true.
const DEADLINE: Duration = Duration::from_secs(20);

/// Asks until there is an answer, 20 seconds at most.
///
/// # Panics
/// If the condition does not come true in time; the message names it.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
