//! `Idempotency-Key` of the Core API (section 1 of `crates/midtrans/FACTS.md`): the first successful reply to a key is
//! given again for five minutes, whatever the body and the endpoint.

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::BODY_LIMIT;
use crate::app::App;
use crate::stored_replies::{StoredReply, TakenKey};

/// Midtrans ignores longer keys without a word.
const LONGEST_KEY: usize = 46;

pub(super) async fn replay(State(app): State<App>, request: Request, next: Next) -> Response {
    let key = request.headers().get("idempotency-key").and_then(|value| value.to_str().ok());
    let key = key.filter(|key| (1..=LONGEST_KEY).contains(&key.len())).map(str::to_owned);
    let Some(key) = key.filter(|_| request.method() == Method::POST) else { return next.run(request).await };
    match app.stored_replies.take(&key) {
        Some(StoredReply::Stored { body, .. }) => json_reply(body),
        Some(StoredReply::InFlight) => {
            let body = json!({"status_code": "202", "status_message": "The request is being processed"});
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
        None => first(&TakenKey { replies: &app.stored_replies, key }, request, next).await,
    }
}

async fn first(taken: &TakenKey<'_>, request: Request, next: Next) -> Response {
    let (head, body) = next.run(request).await.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if head.status == StatusCode::OK && is_success(&body) {
        taken.store(body.clone());
    }
    Response::from_parts(head, Body::from(body))
}

fn is_success(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["status_code"].as_str().is_some_and(|code| code.starts_with('2'))
}

fn json_reply(body: Bytes) -> Response {
    ([("content-type", "application/json")], body).into_response()
}
