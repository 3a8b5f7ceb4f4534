//! Applies the injected faults to Snap and the Core API, not to the payment page.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use super::core;
use crate::app::App;

pub(super) async fn apply(State(app): State<App>, request: Request, next: Next) -> Response {
    let faults = app.fault_injection.get();
    if faults.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(faults.latency_ms.into())).await;
    }
    if faults.down {
        let page = Html("<html><head><title>503 Service Temporarily Unavailable</title></head></html>");
        return (StatusCode::SERVICE_UNAVAILABLE, page).into_response();
    }
    if faults.limited {
        return core::too_many_requests();
    }
    if faults.error_rate > 0.0 && rand::random_bool(faults.error_rate) {
        return core::internal_error();
    }
    next.run(request).await
}
