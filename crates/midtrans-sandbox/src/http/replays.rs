//! `Idempotency-Key` of the Core API (section 1 of the fact sheet): the first successful reply to a key is given again for
//! five minutes, whatever the body and the endpoint.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::BODY_LIMIT;
use crate::app::App;

const LIFETIME: Duration = Duration::from_mins(5);

/// Midtrans ignores longer keys without a word.
const LONGEST_KEY: usize = 46;

/// Replies by key.
#[derive(Debug, Default)]
pub(crate) struct Replays(Mutex<HashMap<String, Replay>>);

#[derive(Debug, Clone)]
enum Replay {
    InFlight,
    Stored { body: Bytes, at: Instant },
}

impl Replays {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Replay>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is for the key; if nothing, the key is taken by the caller.
    fn take(&self, key: &str) -> Option<Replay> {
        let mut replays = self.lock();
        replays.retain(|_, replay| !matches!(replay, Replay::Stored { at, .. } if at.elapsed() > LIFETIME));
        let found = replays.get(key).cloned();
        if found.is_none() {
            replays.insert(key.to_owned(), Replay::InFlight);
        }
        found
    }
}

/// Frees the key when the request ends without a reply to store, also by the caller going away.
struct Taken<'a> {
    replays: &'a Replays,
    key: String,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut replays = self.replays.lock();
        if matches!(replays.get(&self.key), Some(Replay::InFlight)) {
            replays.remove(&self.key);
        }
    }
}

pub(super) async fn replay(State(app): State<App>, request: Request, next: Next) -> Response {
    let key = request.headers().get("idempotency-key").and_then(|value| value.to_str().ok());
    let key = key.filter(|key| (1..=LONGEST_KEY).contains(&key.len())).map(str::to_owned);
    let Some(key) = key.filter(|_| request.method() == Method::POST) else { return next.run(request).await };
    match app.replays.take(&key) {
        Some(Replay::Stored { body, .. }) => json_reply(body),
        Some(Replay::InFlight) => {
            let body = json!({"status_code": "202", "status_message": "The request is being processed"});
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
        None => first(&Taken { replays: &app.replays, key }, request, next).await,
    }
}

async fn first(taken: &Taken<'_>, request: Request, next: Next) -> Response {
    let (head, body) = next.run(request).await.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if head.status == StatusCode::OK && is_success(&body) {
        let stored = Replay::Stored { body: body.clone(), at: Instant::now() };
        taken.replays.lock().insert(taken.key.clone(), stored);
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
