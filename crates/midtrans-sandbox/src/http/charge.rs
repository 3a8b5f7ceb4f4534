//! Core API without Snap: card tokens and charges (section 3.4 of `crates/midtrans/FACTS.md`).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{core, headers};
use crate::app::App;
use crate::cards::Card;
use crate::error::CommandError;
use crate::method::Method;
use crate::transaction::{Status, Transaction};
use crate::{validation, wire};

/// What a browser sends; more is ignored.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct CardQuery {
    client_key: String,
    card_number: String,
}

pub(super) async fn charge(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let body = match core::read(&body) {
        // Midtrans' own answer to no body at all.
        Ok(Value::Null) => return core::internal_error(),
        Ok(body) => body,
        Err(response) => return *response,
    };
    let new = match validation::charge(&body, headers::destinations(&headers), OffsetDateTime::now_utc()) {
        Ok(new) => new,
        Err(messages) => return core::refuse(CommandError::Invalid(messages)),
    };
    match app.handle(|mut handler| handler.charge(new)) {
        Ok(changed) => {
            let attempt = changed.attempt();
            core::answer(&app, &changed, wire::notification_code(attempt), &message(attempt))
        }
        Err(error) => core::refuse(error),
    }
}

fn message(attempt: &Transaction) -> String {
    match (&attempt.method, attempt.status, &attempt.denial) {
        (_, Status::Deny, Some((code, text))) => {
            format!("Deny by Bank with code [{code}] and message [{text}]")
        }
        (Method::CreditCard { .. }, Status::Pending, _) => {
            "Success, Credit Card transaction is pending".to_owned()
        }
        (Method::CreditCard { .. }, ..) => "Success, Credit Card transaction is successful".to_owned(),
        (Method::BankTransfer { .. }, ..) => "Success, Bank Transfer transaction is created".to_owned(),
        (Method::Echannel { .. }, ..) => "OK, Mandiri Bill transaction is successful".to_owned(),
        (Method::Qris { .. }, ..) => "QRIS transaction is created".to_owned(),
        (Method::Gopay, ..) => "GoPay transaction is created".to_owned(),
        (Method::Shopeepay, ..) => "ShopeePay transaction is created".to_owned(),
        (Method::Dana, ..) => "DANA transaction is created".to_owned(),
        (Method::Cstore { .. }, ..) => "Success, cstore transaction is successful".to_owned(),
    }
}

/// A token for one charge. It begins with the masked card, which is all a charge needs to know.
pub(super) async fn token(Query(query): Query<CardQuery>) -> Response {
    with_card(&query, |card| {
        let masked = &card.masked;
        json!({"status_code": "200", "status_message": "Credit card token is created as Token ID.",
            "token_id": format!("{masked}-{}", Uuid::new_v4()), "hash": Uuid::new_v4()})
    })
}

/// A token that can be charged more than once.
pub(super) async fn register(Query(query): Query<CardQuery>) -> Response {
    with_card(&query, |card| {
        let masked = &card.masked;
        json!({"status_code": "200", "status_message": "Credit card token is created as Saved Token ID.",
            "saved_token_id": format!("{masked}-{}", Uuid::new_v4()), "transaction_id": Uuid::new_v4(),
            "masked_card": masked})
    })
}

fn with_card(query: &CardQuery, reply: impl FnOnce(&Card) -> Value) -> Response {
    if query.client_key.is_empty() {
        let message = "Transaction cannot be authorized with the current client/server key.";
        return core::error(StatusCode::UNAUTHORIZED, "401", message);
    }
    match Card::parse(&query.card_number) {
        Some(card) => Json(reply(&card)).into_response(),
        None => core::refuse(CommandError::invalid("card_number does not match with luhn algorithm")),
    }
}

/// The points of a card: nobody has any here.
pub(super) async fn points() -> Response {
    Json(json!({"status_code": "200", "status_message": "Success, Point Inquiry is successful",
        "point_balance": "0", "point_balance_amount": "0.00", "transaction_time": ""}))
    .into_response()
}
