//! Snap: making and closing payment pages (section 2 of the fact sheet).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::headers;
use crate::app::App;
use crate::fault::Fault;
use crate::{jakarta, validation};

pub(super) async fn create(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice::<Value>(&body) };
    let Ok(body) = body else {
        return errors(StatusCode::BAD_REQUEST, &["The request body is not valid JSON"]);
    };
    let new = match validation::page(&body, headers::destinations(&headers), OffsetDateTime::now_utc()) {
        Ok(new) => new,
        Err(messages) => return errors(StatusCode::BAD_REQUEST, &messages),
    };
    match app.desk(|mut desk| desk.create_page(new)).await {
        Ok(token) => {
            let redirect_url = app.config.page_url(&token);
            (StatusCode::CREATED, Json(json!({"token": token, "redirect_url": redirect_url}))).into_response()
        }
        Err(fault) => refuse(fault),
    }
}

pub(super) async fn cancel(State(app): State<App>, Path(token): Path<String>) -> Response {
    match app.desk(|mut desk| desk.cancel_page(&token)).await {
        Ok(()) => {
            let canceled_at = jakarta::format_utc(OffsetDateTime::now_utc());
            Json(json!({"canceled_at": canceled_at})).into_response()
        }
        Err(fault) => refuse(fault),
    }
}

fn refuse(fault: Fault) -> Response {
    let (status, message) = match fault {
        Fault::DuplicateOrder => {
            (StatusCode::BAD_REQUEST, "transaction_details.order_id has already been taken")
        }
        Fault::Unknown => (StatusCode::NOT_FOUND, "token not found"),
        Fault::PageCanceled => (StatusCode::BAD_REQUEST, "token already canceled"),
        Fault::PageInProgress => (StatusCode::BAD_REQUEST, "Transaction is on progress"),
        Fault::Invalid(messages) => return errors(StatusCode::BAD_REQUEST, &messages),
        Fault::Storage
        | Fault::NotAllowed
        | Fault::PageOver
        | Fault::DuplicateRefund
        | Fault::InvalidRefundAmount => (
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
