//! Pages: plain HTML without scripts, and nothing loaded from elsewhere.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page.css");

/// Answers with HTML that no cache keeps and whose links name no referrer. `policy` is its
/// Content-Security-Policy.
pub fn html(status: StatusCode, policy: &'static str, page: Markup) -> Response {
    let headers =
        [(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer"), (CONTENT_SECURITY_POLICY, policy)];
    (status, headers, page).into_response()
}

/// A page in the style that all of them have, with rules of its own after it.
pub fn layout(title: &str, rules: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(rules)) }
            }
            body { main { (content) } }
        }
    }
}
