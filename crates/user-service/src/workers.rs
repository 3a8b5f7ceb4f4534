//! What is done by the clock.

use std::{convert::Infallible, time::Duration};

use chassis::Lifecycle;

use crate::{AppState, app::forget_expired::forget_expired};

/// How often the database is cleaned up. Nothing depends on it: what has expired does not count, there or not.
const CLEANING: Duration = Duration::from_mins(10);
/// How long nobody may have logged in before the memory for it is given back.
const REST: Duration = Duration::from_secs(5);

/// Starts the workers.
pub fn start(state: &AppState, lifecycle: &Lifecycle) {
    lifecycle.every("clean-up", CLEANING, state, async move |state| forget_expired(&state).await);
    lifecycle.every("rest", REST, &state.hasher, async move |hasher| {
        hasher.rest();
        Ok::<_, Infallible>(0)
    });
}
