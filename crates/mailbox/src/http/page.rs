//! The page: plain HTML without scripts, and nothing loaded from elsewhere.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use local_program::layout;
use maud::{Markup, PreEscaped, html};
use time::format_description::well_known::Rfc3339;

use super::{Filter, Shared};
use crate::Mail;

/// A mail's own HTML runs no script and loads nothing, whoever wrote it.
const POLICY: &str = "sandbox allow-top-navigation-by-user-activation; default-src 'none'; \
    style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn list(State(mailbox): Shared, Query(filter): Query<Filter>) -> Response {
    let mails = filter.select(&mailbox);
    let content = html! {
        p { (mails.len()) " mails, newest first. Nothing is delivered to anybody. For programs: "
            a href="/mail/api/messages" { "/mail/api/messages" } }
        table {
            tr { th { "When" } th { "To" } th { "Subject" } }
            @for mail in &mails {
                tr {
                    td { (when(mail)) }
                    td { (mail.to.join(", ")) }
                    td { a href=(format!("/mail/messages/{}", mail.id)) { (subject(mail)) }
                        @if mail.copies > 1 { " (" (mail.copies) " times)" } }
                }
            }
        }
    };
    answer(StatusCode::OK, "Mailbox", &content)
}

pub(super) async fn show(State(mailbox): Shared, Path(id): Path<u64>) -> Response {
    let Some(mail) = mailbox.store.find(id) else { return unknown() };
    let content = html! {
        dl {
            dt { "From" } dd { (mail.from) }
            dt { "To" } dd { (mail.to.join(", ")) }
            dt { "When" } dd { (when(&mail)) }
            dt { "Message-ID" } dd { (mail.message_id.as_deref().unwrap_or("none")) }
        }
        @if mail.html.is_some() {
            p { a href=(format!("/mail/messages/{id}/html")) { "As HTML" } }
        }
        pre { (mail.text) }
        p { a href="/mail/" { "All mails" } }
    };
    answer(StatusCode::OK, subject(&mail), &content)
}

pub(super) async fn html(State(mailbox): Shared, Path(id): Path<u64>) -> Response {
    match mailbox.store.find(id).and_then(|mail| mail.html.clone()) {
        Some(html) => local_program::html(StatusCode::OK, POLICY, PreEscaped(html)),
        None => unknown(),
    }
}

fn unknown() -> Response {
    let content = html! { p { "It may be too old. " a href="/mail/" { "All mails" } } };
    answer(StatusCode::NOT_FOUND, "There is no such mail", &content)
}

fn answer(status: StatusCode, title: &str, content: &Markup) -> Response {
    let content = html! { h1 { (title) } (content) };
    local_program::html(status, POLICY, layout(title, include_str!("page.css"), &content))
}

fn subject(mail: &Mail) -> &str {
    if mail.subject.is_empty() { "(no subject)" } else { &mail.subject }
}

fn when(mail: &Mail) -> String {
    let second = mail.received_at.replace_nanosecond(0).unwrap_or(mail.received_at);
    second.format(&Rfc3339).unwrap_or_default()
}
