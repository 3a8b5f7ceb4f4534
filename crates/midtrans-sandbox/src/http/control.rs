//! The control API: what customers, banks and bad days would do, for demos, tests and load.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::core;
use super::faults::Weather;
use crate::app::{App, Sandbox};
use crate::book::Book;
use crate::cards::Card;
use crate::desk::{Notify, Outcome, Payment, Seen};
use crate::fault::Fault;
use crate::method::PaymentType;
use crate::order::Order;
use crate::transaction::Event;
use crate::wire;

/// An error as the rest of the shop words it: RFC 9457.
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) detail: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({"type": "about:blank", "title": self.status.canonical_reason(),
            "status": self.status.as_u16(), "detail": self.detail, "code": self.code});
        (self.status, [(CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unknown => Self::new(StatusCode::NOT_FOUND, "not_found", "nothing has this id"),
            Fault::Invalid(messages) => Self::new(StatusCode::BAD_REQUEST, "invalid", messages.join("; ")),
            Fault::Storage => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "storage", "the state file cannot be written")
            }
            Fault::PageOver | Fault::PageCanceled | Fault::PageInProgress => Self::new(
                StatusCode::CONFLICT,
                "page_over",
                "the customer cannot do this on the page any more",
            ),
            Fault::NotAllowed
            | Fault::DuplicateOrder
            | Fault::DuplicateRefund
            | Fault::InvalidRefundAmount => Self::new(
                StatusCode::CONFLICT,
                "not_allowed",
                "this cannot happen to a transaction in this state",
            ),
        }
    }
}

type Reply = Result<Json<Value>, Problem>;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    limit: Option<usize>,
    status: Option<String>,
}

pub(super) async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Json<Value> {
    let now = OffsetDateTime::now_utc();
    let views = app.store.read(|book| {
        let orders = book.orders().into_iter();
        let wanted = |order: &&Order| {
            query
                .status
                .as_ref()
                .is_none_or(|status| order.latest().map(|it| it.status.as_str()) == Some(status))
        };
        let wanted = orders.filter(wanted).take(query.limit.unwrap_or(usize::MAX));
        wanted.map(|order| view(&app, book, order, None, now)).collect()
    });
    Json(Value::Array(views))
}

pub(super) async fn show(State(app): State<App>, Path(id): Path<String>) -> Reply {
    let now = OffsetDateTime::now_utc();
    let found = app.store.read(|book| {
        let (order, place) = match book.transaction(&id) {
            Some((order, place)) => (order, Some(place)),
            None => (book.order(&id).or_else(|| book.by_token(&id))?, None),
        };
        Some(view(&app, book, order, place, now))
    });
    found.map(Json).ok_or_else(|| Fault::Unknown.into())
}

/// An order, told as GET status tells the attempt at `place` (else the newest), with what only the sandbox knows.
fn view(app: &Sandbox, book: &Book, order: &Order, place: Option<usize>, now: OffsetDateTime) -> Value {
    let describe = |attempt| {
        let body = core::describe(app, attempt, wire::Body::of(order, attempt, now));
        serde_json::to_value(body).unwrap_or_default()
    };
    let attempts: Vec<_> = order.attempts.iter().map(describe).collect();
    let page = order.page.as_ref();
    let mut view = match place.map_or(attempts.last(), |place| attempts.get(place)) {
        Some(attempt) => attempt.clone(),
        None => json!({"order_id": order.id, "gross_amount": page.map(|page| wire::amount(page.amount))}),
    };
    if let Some(page) = page {
        view["token"] = json!(page.token);
        view["redirect_url"] = json!(app.config.page_url(&page.token));
        view["page"] = json!(order.page_state(now));
    }
    view["attempts"] = json!(attempts);
    view["notifications_pending"] = json!(book.webhooks_of(&order.id));
    view
}

/// The longest name of a bank, in bytes.
const LONGEST_BANK: usize = 20;

/// What the customer does on the page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pay {
    token: String,
    payment_type: Option<PaymentType>,
    card_number: Option<String>,
    bank: Option<String>,
    outcome: Option<Outcome>,
    gross_amount: Option<i64>,
    #[serde(default)]
    notify: Notify,
}

pub(super) async fn pay(State(app): State<App>, body: Bytes) -> Reply {
    let wish: Pay = read(&body)?;
    let card = match wish.card_number.as_deref().map(Card::parse) {
        Some(None) => return Err(Fault::invalid("card_number: 13 to 19 digits").into()),
        card => card.flatten(),
    };
    if wish.bank.as_ref().is_some_and(|bank| bank.is_empty() || bank.len() > LONGEST_BANK) {
        return Err(Fault::invalid("bank: 1 to 20 characters").into());
    }
    if wish.gross_amount.is_some_and(|amount| amount < 1) {
        return Err(Fault::invalid("gross_amount: more than 0").into());
    }
    let payment = Payment {
        kind: wish.payment_type,
        card,
        bank: wish.bank,
        outcome: wish.outcome,
        amount: wish.gross_amount,
        notify: wish.notify,
    };
    let seen = app.desk(|mut desk| desk.pay(&wish.token, payment)).await?;
    Ok(tell(&app, &seen))
}

pub(super) async fn settle(State(app): State<App>, Path(id): Path<String>) -> Reply {
    act(&app, &id, Event::Settle).await
}

pub(super) async fn accept(State(app): State<App>, Path(id): Path<String>) -> Reply {
    act(&app, &id, Event::Approve).await
}

pub(super) async fn deny(State(app): State<App>, Path(id): Path<String>) -> Reply {
    act(&app, &id, Event::Reject).await
}

pub(super) async fn chargeback(State(app): State<App>, Path(id): Path<String>) -> Reply {
    act(&app, &id, Event::Chargeback).await
}

pub(super) async fn reverse(State(app): State<App>, Path(id): Path<String>) -> Reply {
    act(&app, &id, Event::Reverse).await
}

async fn act(app: &App, id: &str, event: Event) -> Reply {
    // A token stands for the newest attempt on its page.
    let id = app.store.read(|book| book.by_token(id).map_or(id.to_owned(), |order| order.id.clone()));
    let seen = app.desk(|mut desk| desk.act(&id, event)).await?;
    Ok(tell(app, &seen))
}

fn tell(app: &Sandbox, seen: &Seen) -> Json<Value> {
    let now = OffsetDateTime::now_utc();
    Json(app.store.read(|book| view(app, book, &seen.order, Some(seen.place), now)))
}

pub(super) async fn set_faults(State(app): State<App>, body: Bytes) -> Result<Json<Weather>, Problem> {
    let weather: Weather = read(&body)?;
    if !(0.0..=1.0).contains(&weather.error_rate) {
        return Err(Fault::invalid("error_rate: 0 to 1").into());
    }
    tracing::info!(weather.latency_ms, weather.error_rate, weather.down, "faults set");
    app.faults.set(weather);
    Ok(Json(weather))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|fault| Fault::invalid(format!("the body: {fault}")).into())
}

pub(super) async fn no_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such route")
}
