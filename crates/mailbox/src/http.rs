//! The page, and the JSON API for tests and demos, all below `/mail`.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::store::MOST_MAILS;
use crate::{InjectedFaults, Mail, Mailbox};

mod guard;
mod page;

type Shared = State<Arc<Mailbox>>;

/// An error as the rest of the shop words it: RFC 9457.
#[derive(Debug)]
struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({"type": format!("/problems/{}", self.code), "title": self.status.canonical_reason(),
            "status": self.status.as_u16(), "detail": self.detail, "code": self.code});
        (self.status, [(CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}

/// Everything the mailbox answers to. Mails are personal: only this machine and its private networks see them.
pub(crate) fn router(mailbox: Arc<Mailbox>) -> Router {
    let api = Router::new()
        .route("/messages", get(list).delete(clear))
        .route("/messages/{id}", get(show))
        .route("/faults", put(set_faults));
    let pages = Router::new()
        .route("/", get(page::list))
        .route("/messages/{id}", get(page::show))
        .route("/messages/{id}/html", get(page::html))
        .nest("/api", api)
        .layer(from_fn(guard::only_from_here));
    Router::new()
        .nest("/mail", pages)
        .route("/mail/", get(page::list).layer(from_fn(guard::only_from_here)))
        .route("/health/live", get(healthy))
        .route("/health/ready", get(healthy))
        .fallback(no_route)
        .layer(DefaultBodyLimit::max(4 * 1024))
        .with_state(mailbox)
}

async fn healthy() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

async fn no_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such route")
}

/// Which mails to list.
#[derive(Debug, Default, Deserialize)]
struct Filter {
    /// Only those to this address.
    to: Option<String>,
    /// Only those whose subject has this text in it.
    subject: Option<String>,
    limit: Option<usize>,
}

impl Filter {
    fn fits(&self, mail: &Mail) -> bool {
        self.to.as_ref().is_none_or(|to| mail.to.iter().any(|known| known.eq_ignore_ascii_case(to)))
            && self.subject.as_ref().is_none_or(|text| mail.subject.contains(text.as_str()))
    }

    fn select(&self, mailbox: &Mailbox) -> Vec<Arc<Mail>> {
        let all = mailbox.store.list().into_iter().filter(|mail| self.fits(mail));
        all.take(self.limit.unwrap_or(MOST_MAILS)).collect()
    }
}

async fn list(State(mailbox): Shared, Query(filter): Query<Filter>) -> Json<Value> {
    let mails: Vec<Value> = filter.select(&mailbox).iter().map(|mail| json!(**mail)).collect();
    Json(Value::Array(mails))
}

async fn show(State(mailbox): Shared, Path(id): Path<u64>) -> Result<Json<Value>, Problem> {
    let unknown =
        || Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such mail, or it is too old");
    Ok(Json(json!(*mailbox.store.find(id).ok_or_else(unknown)?)))
}

async fn clear(State(mailbox): Shared) -> StatusCode {
    mailbox.store.clear();
    StatusCode::NO_CONTENT
}

async fn set_faults(
    State(mailbox): Shared,
    Json(faults): Json<InjectedFaults>,
) -> Result<Json<InjectedFaults>, Problem> {
    if let Some(field) = faults.fault() {
        let detail = format!("{field}: a code is 400 to 599, a latency at most 60000 ms");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid", detail));
    }
    tracing::info!(?faults, "faults set");
    mailbox.fault_injection.set(faults);
    Ok(Json(faults))
}
