//! HTTP as every service speaks it: one router made of the service's routes, its documents, health and metrics, inside
//! one stack of layers.

mod client_addr;
mod cors;
mod docs;
mod layers;
mod listen;
mod page;
mod series;
mod shop;

use axum::{Extension, Json, extract::DefaultBodyLimit, middleware, routing::get};
pub use axum::{Router, http::StatusCode};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;

pub use client_addr::ClientAddr;
pub use docs::{Refusals, complete};
pub use listen::{bind, serve};
pub use page::{Page, list_headers};
pub use shop::plain_client;

use crate::{Code, Problem, ServiceContext, auth::Tokens, health::Health};

/// The largest request body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// The whole router of a service.
pub fn router<A: Clone + Send + Sync + 'static>(
    name: &'static str,
    api: OpenApiRouter<A>,
    state: A,
    context: &ServiceContext,
) -> Router {
    let (routes, document) = api.split_for_parts();
    let document = complete(document, name, &context.common.public_url);
    routes
        .with_state(state)
        .merge(docs::routes(name, document))
        .merge(own_routes(name, context))
        .fallback(async || Problem::from(Code::NotFound))
        .method_not_allowed_fallback(async || Problem::from(Code::MethodNotAllowed))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(layers::deadline))
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(layers::panicked))
        .layer(middleware::from_fn_with_state(cors::layer(&context.common), cors::cross_origin))
        .layer(middleware::from_fn(layers::no_store))
        .layer(middleware::from_fn_with_state(series::Series::default(), layers::observe))
        .layer(Extension(client_addr::Proxies::new(&context.common)))
        .layer(Extension::<Tokens>(context.tokens.clone()))
}

/// Health and metrics: what every service answers about itself.
fn own_routes(name: &'static str, context: &ServiceContext) -> Router {
    let live = get(async || Json(json!({ "status": "ok" })));
    let (health, shop) = (context.health.clone(), shop::Shop::new(name, context));
    let ready = get(async move || ready(&health));
    let metrics = context.metrics.clone();
    Router::new()
        .route("/health/live", live)
        .route("/health", ready.clone())
        .route("/health/ready", ready)
        .route("/health/shop", get(async move || shop.report().await))
        .route("/metrics", get(async move || metrics.map(|metrics| metrics.render()).unwrap_or_default()))
}

fn ready(health: &Health) -> (StatusCode, Json<serde_json::Value>) {
    let checks = health.report();
    let well = checks.values().all(|well| *well);
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "status": if well { "ok" } else { "unavailable" }, "checks": checks })))
}
