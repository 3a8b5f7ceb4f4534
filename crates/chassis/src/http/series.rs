//! The metrics of requests. To look a series up by its labels allocates for each of them, so a router keeps those that
//! it has used.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::http::StatusCode;
use metrics::{Counter, Histogram};

/// By route first, so that a lookup needs no text of its own. Bounded: routes, methods and statuses are.
type Known = HashMap<String, HashMap<(&'static str, StatusCode), (Counter, Histogram)>>;

/// The series of a router's requests, by method, route and status.
#[derive(Clone, Default)]
pub(super) struct Series(Arc<RwLock<Known>>);

impl Series {
    /// Counts a request, and how long it took.
    pub(super) fn record(&self, method: &'static str, route: &str, status: StatusCode, took: Duration) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let of_route = known.get(route).and_then(|of_route| of_route.get(&(method, status)));
        if let Some((requests, seconds)) = of_route {
            requests.increment(1);
            seconds.record(took);
            return;
        }
        drop(known);
        let (requests, seconds) = register(method, route, status);
        requests.increment(1);
        seconds.record(took);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(route.to_owned()).or_default().insert((method, status), (requests, seconds));
    }
}

fn register(method: &'static str, route: &str, status: StatusCode) -> (Counter, Histogram) {
    let labels =
        [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.as_str().to_owned())];
    (metrics::counter!("http_requests_total", &labels), metrics::histogram!("http_request_seconds", &labels))
}
