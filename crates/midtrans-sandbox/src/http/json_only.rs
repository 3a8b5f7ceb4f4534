//! A body is JSON: what a form of any page could send is refused.

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chassis::{Code, Problem};

pub(super) async fn json_only(request: Request, next: Next) -> Response {
    if !has_body(request.headers()) || is_json(request.headers()) {
        return next.run(request).await;
    }
    Problem::new(Code::UnsupportedMediaType, "send the body as application/json").into_response()
}

fn has_body(headers: &HeaderMap) -> bool {
    let empty = headers.get(CONTENT_LENGTH).is_none_or(|length| length == "0");
    !empty || headers.contains_key(TRANSFER_ENCODING)
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}
