//! What happens around every request: its trace, its deadline, its log line and its metrics.

use std::{
    any::Any,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::Instrument;

use crate::{
    Common, Problem,
    context::{self, CORRELATION_ID},
    spans::{Kind, Span},
};

/// How long a request may take.
const DEADLINE: Duration = Duration::from_secs(15);
/// The header by which an idempotent repeat is known.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Puts the request into its trace, returns the correlation id, and writes one log line and the metrics.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let mut told = Span::of_request(Kind::Server, format!("{method} {route}"), request.headers());
    told.set("http.request.method", method.to_string());
    told.set("http.route", route.clone());
    let trace = told.trace().clone();
    let correlation_id = trace.correlation_id.clone();
    let span = tracing::info_span!("request", correlation_id, traceparent = trace.traceparent);
    let started = Instant::now();
    let work = async {
        let response = next.run(request).await;
        record(&method, &route, &path, &response, started.elapsed());
        response
    };
    let mut response = context::scope(trace, work.instrument(span)).await;
    told.set("http.response.status_code", i64::from(response.status().as_u16()));
    if response.status().is_server_error() {
        told.fail();
    }
    if let Ok(value) = HeaderValue::from_str(&correlation_id) {
        response.headers_mut().insert(HeaderName::from_static(CORRELATION_ID), value);
    }
    response
}

fn record(method: &Method, route: &str, path: &str, response: &Response, took: Duration) {
    let status = response.status().as_u16();
    let labels =
        [("method", method.to_string()), ("route", route.to_owned()), ("status", status.to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_seconds", &labels).record(took);
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if route.starts_with("/health") || route == "/metrics" {
        tracing::trace!(%method, path, status, ms, "answered");
    } else {
        tracing::info!(%method, path, status, ms, "answered");
    }
}

/// Answers 503 to a request that takes too long, instead of letting its caller wait for ever.
pub(super) async fn deadline(request: Request, next: Next) -> Response {
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("deadline_exceeded", "This took too long; try again.").into_response(),
    }
}

/// A panic is a bug of ours: 500, and the process lives on.
#[allow(clippy::needless_pass_by_value, reason = "the signature that the layer asks for")]
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Problem::internal(text.unwrap_or("a panic").to_owned()).into_response()
}

/// Lets front ends of the configured origins call the API.
pub(super) fn cors(common: &Common) -> CorsLayer {
    let common = common.clone();
    let allowed = move |origin: &HeaderValue, _: &_| {
        origin.to_str().is_ok_and(|origin| super::origin_allowed(&common, origin))
    };
    let name = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(allowed))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            name(CORRELATION_ID),
            name(IDEMPOTENCY_KEY),
        ])
        .expose_headers([
            header::LOCATION,
            header::LINK,
            header::RETRY_AFTER,
            name(CORRELATION_ID),
            name("x-total-count"),
        ])
        .max_age(Duration::from_hours(1))
}
