//! The hosted payment page: plain HTML and form posts, no scripts, nothing loaded from elsewhere.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use reqwest::Url;
use serde::Deserialize;
use time::OffsetDateTime;

use crate::app::App;
use crate::cards::Card;
use crate::commands::{Outcome, Payment};
use crate::error::CommandError;
use crate::method::PaymentType;
use crate::order::{Order, Page, PageState};
use crate::transaction::{Status, Transaction};
use crate::wire;

mod views;

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/// A row of the card table links to the page with its number filled in.
#[derive(Deserialize)]
pub(super) struct Prefill {
    card: Option<String>,
}

pub(super) async fn show(
    State(app): State<App>,
    Path(token): Path<String>,
    Query(prefill): Query<Prefill>,
) -> Response {
    let now = OffsetDateTime::now_utc();
    let order = app.store.read(|state| state.by_token(&token).cloned());
    match order.as_ref().and_then(|order| Some((order, order.page.as_ref()?, order.page_state(now)?))) {
        Some((order, page, state)) => {
            html(StatusCode::OK, render(order, page, state, prefill.card.as_deref()))
        }
        None => not_found(),
    }
}

/// What a button of the page sends.
#[derive(Deserialize)]
pub(super) struct Submission {
    action: Action,
    card_number: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    CreditCard,
    BankTransfer,
    Qris,
    Pay,
    Expire,
    Deny,
}

pub(super) async fn submit(
    State(app): State<App>,
    Path(token): Path<String>,
    form: Result<Form<Submission>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else {
        return message(StatusCode::BAD_REQUEST, "This form is not one of ours.");
    };
    let Some(payment) = payment(&form) else {
        return message(
            StatusCode::BAD_REQUEST,
            "A card number has 13 to 19 digits. Please go back and correct it.",
        );
    };
    match app.handle(|mut handler| handler.pay(&token, payment)) {
        Ok(changed) => {
            let finish = changed
                .order
                .page
                .as_ref()
                .and_then(|page| finish_url(page, &changed.order, Some(changed.attempt())));
            let done = !matches!(changed.attempt().status, Status::Pending | Status::Deny);
            // Relative, so that it works behind any gateway.
            let to = finish.filter(|_| done).map_or(token, String::from);
            Redirect::to(&to).into_response()
        }
        Err(CommandError::Unknown) => not_found(),
        // Done elsewhere meanwhile, or a button pressed twice: the page says how it ended.
        Err(CommandError::PageOver | CommandError::NotAllowed) => Redirect::to(&token).into_response(),
        Err(_) => message(StatusCode::INTERNAL_SERVER_ERROR, "This did not work. Please try again."),
    }
}

/// What the button stands for; nothing if there is no such card.
fn payment(form: &Submission) -> Option<Payment> {
    let choose = |kind| Payment { kind: Some(kind), outcome: Some(Outcome::Pending), ..Payment::default() };
    let end = |outcome| Payment { outcome, ..Payment::default() };
    Some(match form.action {
        Action::CreditCard => {
            let card = Card::parse(form.card_number.as_deref().unwrap_or_default())?;
            Payment { kind: Some(PaymentType::CreditCard), card: Some(card), ..Payment::default() }
        }
        Action::BankTransfer => choose(PaymentType::BankTransfer),
        Action::Qris => choose(PaymentType::Qris),
        Action::Pay => end(None),
        Action::Expire => end(Some(Outcome::Expire)),
        Action::Deny => end(Some(Outcome::Deny)),
    })
}

fn render(order: &Order, page: &Page, state: PageState, card: Option<&str>) -> Markup {
    let attempt = order.attempts.get(page.attempts_before..).and_then(<[_]>::last);
    let content = match (state, attempt) {
        (PageState::Open, attempt) => views::choose(attempt, card),
        (PageState::Waiting, Some(attempt)) => views::waiting(attempt),
        (state, attempt) => views::over(state, attempt),
    };
    let back = finish_url(page, order, attempt);
    let amount = attempt.map_or(page.amount, |attempt| attempt.amount);
    views::layout(&order.id, Some(amount), back.as_ref().map(Url::as_str), content)
}

/// The shop's address with what became of the payment, as Midtrans appends it (section 2.3 of `crates/midtrans/FACTS.md`).
fn finish_url(page: &Page, order: &Order, attempt: Option<&Transaction>) -> Option<Url> {
    let mut url = Url::parse(page.finish.as_deref()?).ok()?;
    // Anything else, such as a script, does not belong into a link.
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let mut query = url.query_pairs_mut();
    query.append_pair("order_id", &order.id);
    if let Some(attempt) = attempt.filter(|attempt| attempt.status != Status::Pending) {
        query.append_pair("status_code", wire::status_code(attempt));
        query.append_pair("transaction_status", attempt.status.as_str());
    } else {
        query.append_pair("status_code", "201");
        query.append_pair("transaction_status", "pending").append_pair("action", "back");
    }
    drop(query);
    Some(url)
}

fn not_found() -> Response {
    let text =
        "This link is wrong, or was replaced by a newer one. Please open the payment from the shop again.";
    let content = views::message("bad", "No such page", text);
    html(StatusCode::NOT_FOUND, views::layout("unknown", None, None, content))
}

fn message(status: StatusCode, text: &str) -> Response {
    html(status, views::layout("", None, None, views::message("bad", "Not possible", text)))
}

fn html(status: StatusCode, page: Markup) -> Response {
    local_program::html(status, POLICY, page)
}
