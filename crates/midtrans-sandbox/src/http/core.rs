//! Core API: status and actions (section 3 of `crates/midtrans/FACTS.md`). Most errors are HTTP 200 with the code in the body.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::app::{App, Sandbox};
use crate::commands::Changed;
use crate::error::CommandError;
use crate::transaction::{Event, Status, Transaction};
use crate::wire::{self, Body};
use crate::{validation, wib};

/// The members in the order of the wire.
#[derive(Serialize)]
struct ErrorBody<'a> {
    status_code: &'a str,
    status_message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_messages: Option<Vec<String>>,
    id: String,
}

pub(super) async fn status(State(app): State<App>, Path(id): Path<String>, uri: Uri) -> Response {
    if id.contains('/') {
        return no_route(uri).await;
    }
    let now = OffsetDateTime::now_utc();
    let found = app.store.read(|state| {
        let (order, place) = state.core_transaction(&id)?;
        let body = Body::of_core(order, &order.attempts[place], now);
        Some(describe(&app, &order.attempts[place], body))
    });
    found.map_or_else(|| refuse(CommandError::Unknown), |body| Json(body).into_response())
}

/// The transaction as GET status words it.
pub(super) fn describe(app: &Sandbox, attempt: &Transaction, body: Body) -> Body {
    let message = match attempt.status {
        Status::Capture | Status::Settlement if attempt.method.is_card() => {
            "Success, Credit Card transaction is successful"
        }
        _ => "Success, transaction is found",
    };
    body.answer(wire::status_code(attempt), message, &app.terms.server_key)
}

pub(super) async fn status_b2b(State(app): State<App>, Path(id): Path<String>) -> Response {
    let now = OffsetDateTime::now_utc();
    let found = app.store.read(|state| {
        let (order, _) = state.core_transaction(&id)?;
        let body = |attempt| describe(&app, attempt, Body::of_core(order, attempt, now));
        Some(order.attempts.iter().map(body).collect::<Vec<_>>())
    });
    let Some(transactions) = found else { return refuse(CommandError::Unknown) };
    let body = json!({"status_code": "200", "status_message": "Success, transaction found",
        "id": Uuid::new_v4(), "transactions": transactions});
    Json(body).into_response()
}

pub(super) async fn cancel(State(app): State<App>, Path(id): Path<String>, uri: Uri) -> Response {
    act(&app, &id, &uri, Event::Cancel, "200", "Success, transaction is canceled").await
}

pub(super) async fn expire(State(app): State<App>, Path(id): Path<String>, uri: Uri) -> Response {
    act(&app, &id, &uri, Event::Expire, "407", "Success, transaction has expired").await
}

pub(super) async fn approve(State(app): State<App>, Path(id): Path<String>, uri: Uri) -> Response {
    act(&app, &id, &uri, Event::Approve, "200", "Success, transaction is approved").await
}

pub(super) async fn deny(State(app): State<App>, Path(id): Path<String>, uri: Uri) -> Response {
    act(&app, &id, &uri, Event::Reject, "200", "Success, transaction is denied").await
}

/// `{"transaction_id": .., "gross_amount": ..}`; the amount has to be the authorized one here.
pub(super) async fn capture(State(app): State<App>, uri: Uri, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(id) = body["transaction_id"].as_str() else {
        return refuse(CommandError::invalid("transaction_id is required"));
    };
    let message = "Success, Credit Card capture transaction is successful";
    act(&app, id, &uri, Event::Capture, "200", message).await
}

async fn act(app: &App, id: &str, uri: &Uri, event: Event, code: &'static str, message: &str) -> Response {
    if id.contains('/') {
        return no_route(uri.clone()).await;
    }
    let Some(id) = transaction_id(app, id) else { return refuse(CommandError::Unknown) };
    match app.handle(|mut handler| handler.act(&id, event)) {
        Ok(changed) => answer(app, &changed, code, message),
        Err(error) => refuse(error),
    }
}

/// The transaction that an id of the Core API stands for.
fn transaction_id(app: &Sandbox, id: &str) -> Option<String> {
    app.store.read(|state| {
        let (order, place) = state.core_transaction(id)?;
        Some(order.attempts[place].id.clone())
    })
}

/// A transaction with the outcome of a call.
pub(super) fn answer(app: &Sandbox, changed: &Changed, code: &'static str, message: &str) -> Response {
    let body = Body::of_core(&changed.order, changed.attempt(), OffsetDateTime::now_utc());
    Json(body.answer(code, message, &app.terms.server_key)).into_response()
}

pub(super) async fn refund(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Response {
    give_back(&app, &id, &body, false)
}

pub(super) async fn refund_direct(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Response {
    give_back(&app, &id, &body, true)
}

fn give_back(app: &App, id: &str, body: &[u8], direct: bool) -> Response {
    let body = match read(body) {
        Ok(body) => body,
        Err(response) => return *response,
    };
    let new = match validation::refund(&body, direct) {
        Ok(new) => new,
        Err(messages) => return refuse(CommandError::Invalid(messages)),
    };
    let Some(id) = transaction_id(app, id) else { return refuse(CommandError::Unknown) };
    let (changed, amount) = match app.handle(|mut handler| handler.refund(&id, new)) {
        Ok(done) => done,
        Err(error) => return refuse(error),
    };
    let attempt = changed.attempt();
    // A direct refund is answered with the sum of all, the other kind with this one's amount.
    let (by, amount) = if direct { (" by the bank", attempt.refunded()) } else { ("", amount) };
    Json(json!({
        "status_code": "200",
        "status_message": format!("Success, refund request is approved{by}"),
        "transaction_id": attempt.id,
        "order_id": Body::of_core(&changed.order, attempt, OffsetDateTime::now_utc()).order_id,
        "payment_type": attempt.method.payment_type().as_str(),
        "transaction_time": wib::format(attempt.created_at),
        "transaction_status": attempt.status.as_str(),
        "gross_amount": wire::amount(attempt.amount),
        "refund_chargeback_id": attempt.refunds.len(),
        "refund_amount": wire::amount(amount),
        "refund_key": attempt.refunds.last().map(|refund| &refund.key),
    }))
    .into_response()
}

/// A JSON body; official clients send nothing, `{}` or `null` where there is nothing to say.
pub(super) fn read(body: &[u8]) -> Result<Value, Box<Response>> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|_| {
        let message = "The request cannot be processed due to malformed syntax in the request body";
        Box::new(error(StatusCode::OK, "413", message))
    })
}

pub(super) fn refuse(refusal: CommandError) -> Response {
    let (code, message) = match refusal {
        CommandError::Unknown => ("404", "Transaction doesn't exist."),
        CommandError::NotAllowed
        | CommandError::PageOver
        | CommandError::PageInProgress
        | CommandError::PageCanceled => ("412", "Transaction status cannot be updated."),
        CommandError::DuplicateOrder => (
            "406",
            "The request could not be completed due to a conflict with the current state of the target resource, \
             please try again",
        ),
        CommandError::DuplicateRefund => ("406", "Duplicate refund ID"),
        CommandError::InvalidRefundAmount => ("414", "Refund request is rejected due to invalid amount"),
        CommandError::Invalid(messages) => return invalid(messages),
        CommandError::Storage => return internal_error(),
    };
    error(StatusCode::OK, code, message)
}

fn invalid(messages: Vec<String>) -> Response {
    let body = ErrorBody {
        status_code: "400",
        status_message: "One or more parameters in the payload is invalid.",
        validation_messages: Some(messages),
        id: Uuid::new_v4().to_string(),
    };
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

pub(super) fn internal_error() -> Response {
    let message = "Sorry. Our system is recovering from unexpected issues. Please retry.";
    error(StatusCode::INTERNAL_SERVER_ERROR, "500", message)
}

pub(super) fn too_many_requests() -> Response {
    error(StatusCode::TOO_MANY_REQUESTS, "429", "Too many requests. Please retry later.")
}

pub(super) fn error(http: StatusCode, status_code: &str, status_message: &str) -> Response {
    let id = Uuid::new_v4().to_string();
    (http, Json(ErrorBody { status_code, status_message, validation_messages: None, id })).into_response()
}

/// What the server in front of Midtrans says to a path it does not know, such as one with a slash in the id.
pub(super) async fn no_route(uri: Uri) -> Response {
    let body = json!({
        "timestamp": wib::format_utc(OffsetDateTime::now_utc()).replace('Z', "+0000"),
        "status": 404,
        "error": "Not Found",
        "message": "Not Found",
        "path": uri.path(),
    });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

pub(super) async fn wrong_method(request: Request) -> Response {
    let message = format!("{} is not allowed here", request.method());
    error(StatusCode::METHOD_NOT_ALLOWED, "405", &message)
}
