//! Bad days of Midtrans, on request: slow, failing, down. Applies to Snap and the Core API, not to the payment page.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::core;
use crate::app::App;

/// The present weather; not kept over a restart.
#[derive(Debug, Default)]
pub(crate) struct Faults(RwLock<Weather>);

/// What can be asked for.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Weather {
    /// Waits before each answer.
    pub(super) latency_ms: u32,
    /// The share of calls that fail with 500, 0 to 1.
    pub(super) error_rate: f64,
    /// Every call is answered by the gateway in front: 503, in HTML.
    pub(super) down: bool,
}

impl Faults {
    pub(super) fn set(&self, weather: Weather) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    fn get(&self) -> Weather {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn apply(State(app): State<App>, request: Request, next: Next) -> Response {
    let weather = app.faults.get();
    if weather.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(weather.latency_ms.into())).await;
    }
    if weather.down {
        let page = Html("<html><head><title>503 Service Temporarily Unavailable</title></head></html>");
        return (StatusCode::SERVICE_UNAVAILABLE, page).into_response();
    }
    if weather.error_rate > 0.0 && rand::random_bool(weather.error_rate) {
        return core::internal_error();
    }
    next.run(request).await
}
