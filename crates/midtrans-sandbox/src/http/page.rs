//! The hosted payment page: plain HTML and form posts, no scripts, nothing loaded from elsewhere.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use reqwest::Url;
use serde::Deserialize;
use time::OffsetDateTime;

use self::template::{escape, fill};
use crate::app::App;
use crate::cards::{Card, TEST_CARDS, TestCard};
use crate::commands::{Outcome, Payment};
use crate::error::CommandError;
use crate::method::{Method, PaymentType};
use crate::order::{Order, Page, PageState};
use crate::transaction::{Status, Transaction};
use crate::wib;
use crate::wire;

mod template;

const LAYOUT: &str = include_str!("page/layout.html");
const CHOOSE: &str = include_str!("page/choose.html");
const WAITING: &str = include_str!("page/waiting.html");
const OVER: &str = include_str!("page/over.html");

const HEADERS: [(HeaderName, &str); 3] = [
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    ),
];

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
        Some((order, page, state)) => html(StatusCode::OK, render(order, page, state, prefill.card)),
        None => html(StatusCode::NOT_FOUND, not_found()),
    }
}

/// A button of the page.
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
    match app.handle(|mut handler| handler.pay(&token, payment)).await {
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
        Err(CommandError::Unknown) => html(StatusCode::NOT_FOUND, not_found()),
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

fn render(order: &Order, page: &Page, state: PageState, card: Option<String>) -> String {
    let attempt = order.attempts.get(page.attempts_before..).and_then(<[_]>::last);
    let content = match (state, attempt) {
        (PageState::Open, attempt) => choose(attempt, card),
        (PageState::Waiting, Some(attempt)) => waiting(attempt),
        (state, attempt) => over(state, attempt),
    };
    let back = finish_url(page, order, attempt).map(|url| {
        let url = escape(url.as_str());
        format!(r#"<p class="back"><a href="{url}">Back to the shop</a></p>"#)
    });
    fill(
        LAYOUT,
        &[
            ("order_id", &escape(&order.id)),
            ("amount", &rupiah(attempt.map_or(page.amount, |attempt| attempt.amount))),
            ("content", &content),
            ("back", back.as_deref().unwrap_or_default()),
        ],
    )
}

fn choose(denied: Option<&Transaction>, card: Option<String>) -> String {
    let notice = match denied.and_then(|attempt| attempt.denial.as_ref()) {
        Some((_, text)) => {
            let text = escape(text);
            format!(
                r#"<p class="notice" role="alert">The bank declined: {text}. Please try another card or method.</p>"#
            )
        }
        None if denied.is_some() => {
            r#"<p class="notice" role="alert">The payment was declined. Please try again.</p>"#.to_owned()
        }
        None => String::new(),
    };
    let rows: Vec<_> = TEST_CARDS.iter().map(row).collect();
    let card = escape(card.as_deref().unwrap_or(TEST_CARDS[0].number));
    fill(CHOOSE, &[("notice", &notice), ("card", &card), ("cards", &rows.concat())])
}

fn row(card: &TestCard) -> String {
    let TestCard { number, scheme, behaviour, .. } = card;
    format!(r#"<tr><td><a href="?card={number}">{number}</a></td><td>{scheme}</td><td>{behaviour}</td></tr>"#)
}

fn waiting(attempt: &Transaction) -> String {
    let (title, code) = match &attempt.method {
        Method::CreditCard { card } => ("Waiting for the bank", card.masked.clone()),
        Method::BankTransfer { bank, va_number } => {
            return waiting_for(attempt, &format!("{} virtual account", bank.to_uppercase()), va_number);
        }
        Method::Echannel { bill_key } => ("Mandiri bill 70012", bill_key.clone()),
        Method::Qris { .. } => ("QRIS", format!("LOCAL-QRIS-{}", attempt.id)),
        Method::Gopay => ("GoPay", attempt.id.clone()),
        Method::Shopeepay => ("ShopeePay", attempt.id.clone()),
        Method::Dana => ("DANA", attempt.id.clone()),
        Method::Cstore { payment_code, .. } => ("Convenience store", payment_code.clone()),
    };
    waiting_for(attempt, title, &code)
}

fn waiting_for(attempt: &Transaction, title: &str, code: &str) -> String {
    let until = wib::format(attempt.expires_at);
    fill(WAITING, &[("title", &escape(title)), ("code", &escape(code)), ("until", &until)])
}

fn over(state: PageState, attempt: Option<&Transaction>) -> String {
    let (class, title, text) = match (state, attempt.map(|attempt| attempt.status)) {
        (PageState::Used, Some(Status::Capture | Status::Settlement)) => {
            ("good", "Paid", "Thank you. The shop knows about it in a moment.")
        }
        (PageState::Used, Some(Status::Expire)) | (PageState::Expired, _) => {
            ("bad", "Expired", "The time to pay is over. Nothing was charged.")
        }
        (PageState::Used, Some(Status::Refund | Status::PartialRefund)) => {
            ("good", "Refunded", "The shop has sent money back.")
        }
        (PageState::Used, Some(Status::Chargeback)) => {
            ("bad", "Charged back", "The bank has taken the money back.")
        }
        _ => ("bad", "Cancelled", "This payment was called off. Nothing was charged."),
    };
    fill(OVER, &[("class", class), ("title", title), ("text", text)])
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

fn not_found() -> String {
    let content = fill(
        OVER,
        &[
            ("class", "bad"),
            ("title", "No such page"),
            (
                "text",
                "This link is wrong, or was replaced by a newer one. Please open the payment from the shop again.",
            ),
        ],
    );
    fill(LAYOUT, &[("order_id", "unknown"), ("amount", ""), ("content", &content), ("back", "")])
}

fn message(status: StatusCode, text: &str) -> Response {
    let content = fill(OVER, &[("class", "bad"), ("title", "Not possible"), ("text", text)]);
    html(status, fill(LAYOUT, &[("order_id", ""), ("amount", ""), ("content", &content), ("back", "")]))
}

fn html(status: StatusCode, page: String) -> Response {
    (status, HEADERS, Html(page)).into_response()
}

/// `Rp 1.234.567`
fn rupiah(amount: i64) -> String {
    let digits = amount.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    format!("Rp {}", groups.join("."))
}

#[cfg(test)]
mod tests {
    use super::rupiah;

    #[test]
    fn rupiah_are_grouped_as_in_indonesia() {
        assert_eq!([5, 999, 1_000, 1_234_567].map(rupiah), ["Rp 5", "Rp 999", "Rp 1.000", "Rp 1.234.567"]);
    }
}
