//! The interfaces, all below `/midtrans`, plus health.

use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use local_program::only_from_here;
use serde_json::json;
use tower_http::trace::TraceLayer;

use self::json_only::json_only;
use crate::app::App;

mod auth;
mod charge;
mod control;
mod core;
mod headers;
mod injection;
mod json_only;
mod page;
mod replays;
mod snap;

const BODY_LIMIT: usize = 256 * 1024;

pub(crate) fn router(app: App) -> Router {
    let api = Router::new()
        .nest("/snap/v1", snap_api(&app))
        .nest("/v2", core_api(&app))
        .layer(from_fn_with_state(app.clone(), injection::apply))
        .layer(from_fn(json_only))
        .layer(from_fn(only_from_here));
    let midtrans = Router::new()
        .merge(api)
        .nest("/sandbox", control_api())
        .route("/snap/v4/redirection/{token}", get(page::show).post(page::submit));
    Router::new()
        .nest("/midtrans", midtrans)
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .fallback(core::no_route)
        .method_not_allowed_fallback(core::wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .with_state(app)
}

fn snap_api(app: &App) -> Router<App> {
    Router::new()
        .route("/transactions", post(snap::create))
        .route("/transactions/{token}/cancel", post(snap::cancel))
        .route_layer(from_fn_with_state(app.clone(), auth::snap))
}

fn core_api(app: &App) -> Router<App> {
    let merchant = Router::new()
        .route("/charge", post(charge::charge))
        .route("/capture", post(core::capture))
        .route("/point_inquiry/{token}", get(charge::points))
        .route("/{id}/status", get(core::status))
        .route("/{id}/status/b2b", get(core::status_b2b))
        .route("/{id}/cancel", post(core::cancel))
        .route("/{id}/expire", post(core::expire))
        .route("/{id}/approve", post(core::approve))
        .route("/{id}/deny", post(core::deny))
        .route("/{id}/refund", post(core::refund))
        .route("/{id}/refund/online/direct", post(core::refund_direct))
        .route_layer(from_fn_with_state(app.clone(), replays::replay))
        .route_layer(from_fn_with_state(app.clone(), auth::core));
    // These are for browsers, which have the client key only.
    merchant.route("/token", get(charge::token)).route("/card/register", get(charge::register))
}

fn control_api() -> Router<App> {
    Router::new()
        .route("/transactions", get(control::list))
        .route("/transactions/{id}", get(control::show))
        .route("/transactions/{id}/settle", post(control::settle))
        .route("/transactions/{id}/challenge/accept", post(control::accept))
        .route("/transactions/{id}/challenge/deny", post(control::deny))
        .route("/transactions/{id}/chargeback", post(control::chargeback))
        .route("/transactions/{id}/reverse", post(control::reverse))
        .route("/pay", post(control::pay))
        .route("/faults", put(control::set_faults))
        .fallback(control::no_route)
        .layer(from_fn(json_only))
        .layer(from_fn(only_from_here))
}

/// Path and method only: queries carry client keys and card numbers.
fn span(request: &Request) -> tracing::Span {
    tracing::debug_span!("request", method = %request.method(), path = request.uri().path())
}

async fn live() -> Json<serde_json::Value> {
    Json(json!({"status": "ok"}))
}

/// Not ready once the state file cannot be written.
async fn ready(State(app): State<App>) -> Response {
    if app.store.is_writable() {
        Json(json!({"status": "ok"})).into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unavailable"}))).into_response()
    }
}
