//! What is done by the clock.

use std::time::Duration;

use chassis::problem::chain;
use tokio_util::sync::CancellationToken;

use crate::{App, app::Hasher};

/// How often the database is cleaned up. Nothing depends on it: what has expired does not count, there or not.
const PERIOD: Duration = Duration::from_mins(10);
/// How long nobody may have logged in before the memory for it is given back.
const REST: Duration = Duration::from_secs(5);

/// Forgets what has expired, now and then, until `shutdown`.
pub async fn clean_up(app: App, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        match app.forget_expired().await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "forgot expired sessions and tokens"),
            Err(error) => tracing::warn!(error = chain(&error), "expired sessions could not be forgotten"),
        }
        pause(PERIOD, &shutdown).await;
    }
}

/// Gives back what hashing needs while nobody logs in, until `shutdown`.
pub async fn rest(hasher: Hasher, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        hasher.rest();
        pause(REST, &shutdown).await;
    }
}

async fn pause(time: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = shutdown.cancelled() => {}
    }
}
