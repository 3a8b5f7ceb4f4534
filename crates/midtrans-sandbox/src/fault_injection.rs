//! Failures of Midtrans on request: slow, failing, down. Not kept over a restart.

use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};

/// The failures that are injected now.
#[derive(Debug, Default)]
pub(crate) struct FaultInjection(RwLock<InjectedFaults>);

/// What is injected, as the body of `PUT /midtrans/sandbox/faults`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct InjectedFaults {
    /// Milliseconds to wait before each answer.
    pub(crate) latency_ms: u32,
    /// The share of calls that fail with 500, 0 to 1.
    pub(crate) error_rate: f64,
    /// Every call is answered by the gateway in front: 503, in HTML.
    pub(crate) down: bool,
    /// Every call is one too many: 429.
    pub(crate) limited: bool,
}

impl FaultInjection {
    pub(crate) fn set(&self, faults: InjectedFaults) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    pub(crate) fn get(&self) -> InjectedFaults {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}
