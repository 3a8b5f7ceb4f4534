//! The server key as Basic authentication with an empty password.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use subtle::ConstantTimeEq;

use super::core;
use crate::app::App;

/// Lets Snap calls with the right key through.
pub(super) async fn snap(State(app): State<App>, request: Request, next: Next) -> Response {
    if is_authorised(request.headers(), &app.terms.server_key) {
        return next.run(request).await;
    }
    let messages = json!({"error_messages": [
        "Access denied due to unauthorized transaction, please check client or server key",
        "Visit https://snap-docs.midtrans.com/#request-headers for more details",
    ]});
    (StatusCode::UNAUTHORIZED, Json(messages)).into_response()
}

/// Lets Core API calls with the right key through.
pub(super) async fn core(State(app): State<App>, request: Request, next: Next) -> Response {
    if is_authorised(request.headers(), &app.terms.server_key) {
        return next.run(request).await;
    }
    core::error(StatusCode::UNAUTHORIZED, "401", "Unknown Merchant server_key/id")
}

fn is_authorised(headers: &HeaderMap, key: &SecretString) -> bool {
    let Some(given) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else { return false };
    let Some((scheme, credentials)) = given.split_once(' ') else { return false };
    let Ok(credentials) = STANDARD.decode(credentials.trim()) else { return false };
    let expected = format!("{}:", key.expose_secret());
    scheme.eq_ignore_ascii_case("basic") && bool::from(credentials.ct_eq(expected.as_bytes()))
}

#[cfg(test)]
mod tests {
    use axum::http::header::AUTHORIZATION;
    use axum::http::{HeaderMap, HeaderValue};

    use super::is_authorised;

    #[test]
    fn the_key_is_the_user_name_and_the_password_is_empty() {
        let authorised = |value: &'static str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            is_authorised(&headers, &"SB-Mid-server-abc123cde456".into())
        };
        assert!(authorised("Basic U0ItTWlkLXNlcnZlci1hYmMxMjNjZGU0NTY6"));
        assert!(authorised("basic U0ItTWlkLXNlcnZlci1hYmMxMjNjZGU0NTY6"));
        assert!(!authorised("Bearer U0ItTWlkLXNlcnZlci1hYmMxMjNjZGU0NTY6"));
        assert!(!authorised("Basic b3RoZXI6"));
        assert!(!authorised("Basic not-base64"));
        assert!(!authorised(""));
    }
}
