//! Periodic work: what has expired is purged, and spare memory is released.

use std::{convert::Infallible, time::Duration};

use chassis::Lifecycle;

use crate::{AppState, app::purge_expired};

/// Nothing depends on how often: what has expired does not count, there or not.
const PURGE_PERIOD: Duration = Duration::from_mins(10);
/// How long no password must have been hashed before the memory for it is released.
const IDLE_PERIOD: Duration = Duration::from_secs(5);

pub fn start(state: &AppState, lifecycle: &Lifecycle) {
    lifecycle.every("purge-expired", PURGE_PERIOD, state, async move |state| purge_expired(&state).await);
    lifecycle.every("release-memory", IDLE_PERIOD, &state.hasher, async move |hasher| {
        hasher.release_memory();
        Ok::<_, Infallible>(0)
    });
}
