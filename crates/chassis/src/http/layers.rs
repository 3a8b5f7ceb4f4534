//! What happens around every request: its trace, its deadline, its log line and its metrics.

use std::{
    any::Any,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{
        HeaderName, HeaderValue, Method, StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use crate::{
    Code, Problem,
    context::{self, CORRELATION_ID},
    http::series::Series,
    spans::Span,
};

/// How long a request may take.
const DEADLINE: Duration = Duration::from_secs(15);
/// The methods that have a name in metrics and traces. Anybody can invent others, and each would be a series for ever:
/// they share OpenTelemetry's `_OTHER`.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

/// Puts the request into its trace, returns the correlation id, and writes one log line and the metrics.
pub(super) async fn observe(State(series): State<Series>, request: Request, next: Next) -> Response {
    let (method, path) = (label(request.method()), request.uri().path().to_owned());
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let mut span = Span::of_request(|| format!("{method} {route}"), request.headers());
    span.set("http.request.method", method);
    let trace = span.trace();
    let (correlation_id, traceparent) = (&trace.correlation_id, &trace.traceparent);
    let logged = tracing::info_span!("request", correlation_id, traceparent);
    let correlation_id = HeaderValue::from_str(correlation_id);
    let started = Instant::now();
    let work = async {
        let response = next.run(request).await;
        let (status, took) = (response.status(), started.elapsed());
        series.record(method, &route, status, took);
        log(method, &route, &path, status, took);
        response
    };
    let mut response = context::scope(trace.clone(), work.instrument(logged)).await;
    span.set("http.route", route);
    span.set("http.response.status_code", i64::from(response.status().as_u16()));
    if response.status().is_server_error() {
        span.fail();
    }
    if let Ok(value) = correlation_id {
        response.headers_mut().insert(HeaderName::from_static(CORRELATION_ID), value);
    }
    response
}

fn label(method: &Method) -> &'static str {
    METHODS.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}

fn log(method: &str, route: &str, path: &str, status: StatusCode, took: Duration) {
    let status = status.as_u16();
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if route.starts_with("/health") || route == "/metrics" {
        tracing::trace!(method, path, status, ms, "answered");
    } else {
        tracing::info!(method, path, status, ms, "answered");
    }
}

/// Answers 503 to a request that takes too long, instead of letting its caller wait for ever.
pub(super) async fn deadline(request: Request, next: Next) -> Response {
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::from(Code::DeadlineExceeded).into_response(),
    }
}

/// Keeps answers out of every cache, but for what anybody may read without a token. A handler's own word goes first.
pub(super) async fn no_store(request: Request, next: Next) -> Response {
    let is_public = request.method().is_safe() && !request.headers().contains_key(AUTHORIZATION);
    let mut response = next.run(request).await;
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    if !is_public || is_error {
        response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

/// A panic is a bug of ours: 500, and the process lives on.
#[allow(clippy::needless_pass_by_value, reason = "the signature that the layer asks for")]
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Problem::internal(text.unwrap_or("a panic").to_owned()).into_response()
}
