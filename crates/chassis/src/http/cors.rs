//! Calls from front ends of other origins (CORS), and what OPTIONS answers without them.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method,
        header::{
            ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, LINK, LOCATION, ORIGIN, RETRY_AFTER,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower::{Layer, ServiceExt};
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::{Host, Origin};

use crate::{
    Common,
    config::{AppEnv, listed, origin},
    context::CORRELATION_ID,
};

/// The header by which an idempotent repeat is known.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Lets front ends of the configured origins call the API. The layer by itself would answer every OPTIONS with 200: what
/// is no preflight of a path that exists is left to the router, for a 404, or a 405 with Allow.
pub(super) async fn cross_origin(State(cors): State<CorsLayer>, request: Request, next: Next) -> Response {
    let is_routed = request.extensions().get::<MatchedPath>().is_some();
    if request.method() == Method::OPTIONS && !(is_routed && is_preflight(request.headers())) {
        return next.run(request).await;
    }
    let Ok(response) = cors.layer(next).oneshot(request).await;
    response.into_response()
}

fn is_preflight(headers: &HeaderMap) -> bool {
    headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// What front ends may ask for and read.
pub(super) fn layer(common: &Common) -> CorsLayer {
    let allowed = AllowedOrigins::new(common);
    let name = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| allowed.contains(origin)))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, name(CORRELATION_ID), name(IDEMPOTENCY_KEY)])
        .expose_headers([LOCATION, LINK, RETRY_AFTER, name(CORRELATION_ID), name("x-total-count")])
        .max_age(Duration::from_hours(1))
}

/// The origins of front ends that may call the API.
#[derive(Clone)]
struct AllowedOrigins {
    listed: Arc<[Origin]>,
    /// In development, whatever port a front end's own server has.
    localhost: bool,
}

impl AllowedOrigins {
    fn new(common: &Common) -> Self {
        Self {
            listed: listed(&common.cors_allowed_origins).filter_map(origin).collect(),
            localhost: common.app_env == AppEnv::Development,
        }
    }

    fn contains(&self, header: &HeaderValue) -> bool {
        let origin = header.to_str().ok().and_then(origin);
        origin
            .is_some_and(|origin| self.listed.contains(&origin) || (self.localhost && is_localhost(&origin)))
    }
}

fn is_localhost(origin: &Origin) -> bool {
    matches!(origin, Origin::Tuple(scheme, Host::Domain(host), _) if scheme == "http" && host == "localhost")
}
