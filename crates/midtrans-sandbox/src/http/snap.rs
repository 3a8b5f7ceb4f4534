//! Snap: making and closing payment pages (section 2 of `crates/midtrans/FACTS.md`).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::headers;
use crate::app::App;
use crate::error::CommandError;
use crate::{validation, wib};

pub(super) async fn create(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice::<Value>(&body) };
    let Ok(body) = body else {
        return errors(StatusCode::BAD_REQUEST, &["The request body is not valid JSON"]);
    };
    let new = match validation::page(&body, headers::destinations(&headers), OffsetDateTime::now_utc()) {
        Ok(new) => new,
        Err(messages) => return errors(StatusCode::BAD_REQUEST, &messages),
    };
    match app.handle(|mut handler| handler.create_page(new)) {
        Ok(token) => {
            let redirect_url = app.config.page_url(&token);
            (StatusCode::CREATED, Json(json!({"token": token, "redirect_url": redirect_url}))).into_response()
        }
        Err(error) => refuse(error),
    }
}

pub(super) async fn cancel(State(app): State<App>, Path(token): Path<String>) -> Response {
    match app.handle(|mut handler| handler.cancel_page(&token)) {
        Ok(()) => {
            let canceled_at = wib::format_utc(OffsetDateTime::now_utc());
            Json(json!({"canceled_at": canceled_at})).into_response()
        }
        Err(error) => refuse(error),
    }
}

fn refuse(error: CommandError) -> Response {
    let (status, message) = match error {
        CommandError::DuplicateOrder => {
            (StatusCode::BAD_REQUEST, "transaction_details.order_id has already been taken")
        }
        CommandError::Unknown => (StatusCode::NOT_FOUND, "token not found"),
        CommandError::PageCanceled => (StatusCode::BAD_REQUEST, "token already canceled"),
        CommandError::PageInProgress => (StatusCode::BAD_REQUEST, "Transaction is on progress"),
        CommandError::Invalid(messages) => return errors(StatusCode::BAD_REQUEST, &messages),
        CommandError::Storage
        | CommandError::NotAllowed
        | CommandError::PageOver
        | CommandError::DuplicateRefund
        | CommandError::InvalidRefundAmount => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Sorry, we encountered internal server error. We will fix this soon.",
        ),
    };
    errors(status, &[message])
}

fn errors(status: StatusCode, messages: &[impl AsRef<str>]) -> Response {
    let messages: Vec<_> = messages.iter().map(AsRef::as_ref).collect();
    (status, Json(json!({"error_messages": messages}))).into_response()
}
