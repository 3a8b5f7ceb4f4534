//! The page, and the JSON API for tests and demos, all below `/mail`.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::routing::{get, put};
use chassis::{Code, Problem};
use local_program::only_from_here;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::store::MOST_MAILS;
use crate::{InjectedFaults, Mail, Mailbox};

mod page;

type Shared = State<Arc<Mailbox>>;

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
        .layer(from_fn(only_from_here));
    Router::new()
        .nest("/mail", pages)
        .route("/mail/", get(page::list).layer(from_fn(only_from_here)))
        .route("/health/live", get(healthy))
        .route("/health/ready", get(healthy))
        .fallback(async || Problem::from(Code::NotFound))
        .layer(DefaultBodyLimit::max(4 * 1024))
        .with_state(mailbox)
}

async fn healthy() -> Json<Value> {
    Json(json!({"status": "ok"}))
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
    let unknown = || Problem::new(Code::NotFound, "there is no such mail, or it is too old");
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
        return Err(Problem::invalid_field(field, "a code is 400 to 599, a latency at most 60000 ms"));
    }
    tracing::info!(?faults, "faults set");
    mailbox.fault_injection.set(faults);
    Ok(Json(faults))
}
