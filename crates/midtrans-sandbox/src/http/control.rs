//! The control API: what customers, banks and bad days would do, for demos, tests and load.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use chassis::{Problem, codes};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::core;
use crate::app::{App, Sandbox};
use crate::cards::Card;
use crate::commands::{Changed, Notify, Outcome, Payment};
use crate::error::CommandError;
use crate::fault_injection::InjectedFaults;
use crate::method::PaymentType;
use crate::order::Order;
use crate::state;
use crate::transaction::Event;
use crate::wire;

codes! {
    /// Why the control API refuses a request, beside what any service does.
    pub(super) enum Code {
        /// The state file cannot be written.
        Storage(SERVICE_UNAVAILABLE, "storage"),
        /// The customer cannot do this on the page any more.
        PageOver(CONFLICT, "page_over"),
        /// This cannot happen to a transaction in this state.
        NotAllowed(CONFLICT, "not_allowed"),
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Unknown => Self::new(chassis::Code::NotFound, "nothing has this id"),
            CommandError::Invalid(messages) => Self::new(chassis::Code::Invalid, messages.join("; ")),
            CommandError::Storage => Code::Storage.into(),
            CommandError::PageOver | CommandError::PageCanceled | CommandError::PageInProgress => {
                Code::PageOver.into()
            }
            CommandError::NotAllowed
            | CommandError::DuplicateOrder
            | CommandError::DuplicateRefund
            | CommandError::InvalidRefundAmount => Code::NotAllowed.into(),
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
    let views = app.store.read(|state| {
        let orders = state.orders().into_iter();
        let wanted = |order: &&Order| {
            query
                .status
                .as_ref()
                .is_none_or(|status| order.latest().map(|it| it.status.as_str()) == Some(status))
        };
        let wanted = orders.filter(wanted).take(query.limit.unwrap_or(usize::MAX));
        wanted.map(|order| view(&app, state, order, None, now)).collect()
    });
    Json(Value::Array(views))
}

pub(super) async fn show(State(app): State<App>, Path(id): Path<String>) -> Reply {
    let now = OffsetDateTime::now_utc();
    let found = app.store.read(|state| {
        let (order, place) = match state.transaction(&id) {
            Some((order, place)) => (order, Some(place)),
            None => (state.order(&id).or_else(|| state.by_token(&id))?, None),
        };
        Some(view(&app, state, order, place, now))
    });
    found.map(Json).ok_or_else(|| CommandError::Unknown.into())
}

/// The reply of GET status for the attempt at `place` (else the newest), with the members that only the sandbox has.
fn view(
    app: &Sandbox,
    state: &state::State,
    order: &Order,
    place: Option<usize>,
    now: OffsetDateTime,
) -> Value {
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
    view["notifications_pending"] = json!(state.webhooks_of(&order.id));
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
    let request: Pay = read(&body)?;
    let card = match request.card_number.as_deref().map(Card::parse) {
        Some(None) => return Err(CommandError::invalid("card_number: 13 to 19 digits").into()),
        card => card.flatten(),
    };
    if request.bank.as_ref().is_some_and(|bank| bank.is_empty() || bank.len() > LONGEST_BANK) {
        return Err(CommandError::invalid("bank: 1 to 20 characters").into());
    }
    if request.gross_amount.is_some_and(|amount| amount < 1) {
        return Err(CommandError::invalid("gross_amount: more than 0").into());
    }
    let payment = Payment {
        kind: request.payment_type,
        card,
        bank: request.bank,
        outcome: request.outcome,
        amount: request.gross_amount,
        notify: request.notify,
    };
    let changed = app.handle(|mut handler| handler.pay(&request.token, payment))?;
    Ok(reply(&app, &changed))
}

pub(super) async fn settle(State(app): State<App>, Path(id): Path<String>) -> Reply {
    act(&app, &id, Event::Settle)
}

pub(super) async fn accept(State(app): State<App>, Path(id): Path<String>) -> Reply {
    act(&app, &id, Event::Approve)
}

pub(super) async fn deny(State(app): State<App>, Path(id): Path<String>) -> Reply {
    act(&app, &id, Event::Reject)
}

pub(super) async fn chargeback(State(app): State<App>, Path(id): Path<String>) -> Reply {
    act(&app, &id, Event::Chargeback)
}

pub(super) async fn reverse(State(app): State<App>, Path(id): Path<String>) -> Reply {
    act(&app, &id, Event::Reverse)
}

fn act(app: &App, id: &str, event: Event) -> Reply {
    // A token stands for the newest attempt on its page.
    let id = app.store.read(|state| state.by_token(id).map_or(id.to_owned(), |order| order.id.clone()));
    let changed = app.handle(|mut handler| handler.act(&id, event))?;
    Ok(reply(app, &changed))
}

fn reply(app: &Sandbox, changed: &Changed) -> Json<Value> {
    let now = OffsetDateTime::now_utc();
    Json(app.store.read(|state| view(app, state, &changed.order, Some(changed.place), now)))
}

pub(super) async fn set_faults(State(app): State<App>, body: Bytes) -> Result<Json<InjectedFaults>, Problem> {
    let faults: InjectedFaults = read(&body)?;
    if !(0.0..=1.0).contains(&faults.error_rate) {
        return Err(CommandError::invalid("error_rate: 0 to 1").into());
    }
    tracing::info!(faults.latency_ms, faults.error_rate, faults.down, faults.limited, "faults set");
    app.fault_injection.set(faults);
    Ok(Json(faults))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| CommandError::invalid(format!("the body: {error}")).into())
}

pub(super) async fn no_route() -> Problem {
    chassis::Code::NotFound.into()
}
