//! Input that is wrong, made from the documents: whatever is sent to whatever route, the answer is a problem that names
//! the member, and nothing has happened.

mod values;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use stack::api::Reply;

use self::values::{extremes, wrong_members, wrong_texts};
use super::documents::{Documents, Operation};
use super::stage::Subject;
use crate::harness::{Answer, Open};

pub async fn is_refused(open: &Open, documents: &Documents) {
    for operation in documents.operations() {
        let given = operation.body().is_some()
            || ["path", "query", "header"].iter().any(|p| !operation.parameters(p).is_empty());
        if !given {
            continue;
        }
        let subject = Subject::of(open, operation).await;
        let before = state(open, &subject).await;
        wrong_ids_are_named(open, operation, &subject).await;
        wrong_parameters_are_named(open, operation, &subject).await;
        wrong_headers_are_named(open, operation, &subject).await;
        if operation.body().is_some() {
            wrong_members_are_named(open, operation, &subject).await;
            what_is_no_json_object_is_refused(open, operation, &subject).await;
            what_is_given_twice_is_refused(open, operation, &subject).await;
            other_media_types_are_refused(open, operation, &subject).await;
            large_bodies_are_refused(open, operation, &subject).await;
        }
        assert_eq!(state(open, &subject).await, before, "{} changed something", operation.name());
        if operation.body().is_some() {
            what_is_just_allowed_is_read(open, operation).await;
        }
    }
}

fn token<'a>(open: &'a Open, operation: &Operation, subject: &'a Subject) -> &'a str {
    if operation.is_for_administrators() { &open.admin.token } else { &subject.owner.token }
}

async fn attempt(open: &Open, operation: &Operation, subject: &Subject, path: &str, body: &Value) -> Reply {
    open.ask(token(open, operation, subject), &format!("{} {path}", operation.method), body.clone()).await
}

async fn wrong_ids_are_named(open: &Open, operation: &Operation, subject: &Subject) {
    let Some(name) = operation.id() else { return };
    let path = |id: &str| operation.path.replace(&format!("{{{name}}}"), id);
    for id in
        ["0", "-1", "1.5", "0x1", "one", "9223372036854775808", "18446744073709551616", "%F0%9F%98%80", "%20"]
    {
        attempt(open, operation, subject, &path(id), &subject.body).await.invalid(name);
    }
    attempt(open, operation, subject, &path("%00"), &subject.body).await.is(400);
    let unknown = if operation.statuses().contains(&404) { 404 } else { operation.success() };
    for id in ["4294967297", "9223372036854775807"] {
        attempt(open, operation, subject, &path(id), &subject.body).await.is(unknown);
    }
}

async fn wrong_parameters_are_named(open: &Open, operation: &Operation, subject: &Subject) {
    let parameters = operation.parameters("query");
    for (name, schema) in &parameters {
        for value in wrong_texts(schema) {
            let path = format!("{}?{name}={value}", subject.path);
            attempt(open, operation, subject, &path, &subject.body).await.invalid(name);
        }
        let path = format!("{}?{name}=%00", subject.path);
        attempt(open, operation, subject, &path, &subject.body).await.is(400);
    }
    if let Some((name, _)) = parameters.first() {
        let path = format!("{}?nonsense=1", subject.path);
        attempt(open, operation, subject, &path, &subject.body).await.invalid("nonsense");
        let path = format!("{}?{name}=1&{name}=1", subject.path);
        attempt(open, operation, subject, &path, &subject.body).await.invalid(name);
    }
}

async fn wrong_headers_are_named(open: &Open, operation: &Operation, subject: &Subject) {
    let (token, line) = (token(open, operation, subject), format!("{} {}", operation.method, subject.path));
    for (name, _) in operation.parameters("header") {
        for value in ["", " ", "a b", "ä", &"x".repeat(256)] {
            open.ask_with(token, &line, &[(name, value)], subject.body.clone()).await.invalid(name);
        }
    }
}

async fn wrong_members_are_named(open: &Open, operation: &Operation, subject: &Subject) {
    let mut faults = Vec::new();
    for (field, body) in wrong_members(operation, operation.body().unwrap(), &subject.body) {
        let reply = attempt(open, operation, subject, &subject.path, &body).await;
        let named =
            reply.body["errors"].as_array().is_some_and(|all| all.iter().any(|one| one["field"] == field));
        if !(named && reply.status == 400 && reply.code() == "invalid") {
            let sent: String = body.to_string().chars().take(200).collect();
            faults.push(format!("{field} in {sent}: {}", reply.text));
        }
    }
    assert!(faults.is_empty(), "{}: {faults:#?}", operation.name());
}

/// A request whose body is these bytes, well-formed or not.
fn raw(open: &Open, operation: &Operation, subject: &Subject, body: Vec<u8>) -> RequestBuilder {
    let method = Method::from_bytes(operation.method.as_bytes()).unwrap();
    let request = open.api.request(method, &subject.path).body(body);
    request.bearer_auth(token(open, operation, subject))
}

async fn send(
    open: &Open,
    operation: &Operation,
    subject: &Subject,
    media: Option<&str>,
    body: Vec<u8>,
) -> Reply {
    let mut request = raw(open, operation, subject, body);
    if let Some(media) = media {
        request = request.header("content-type", media);
    }
    open.api.send(request).await.unwrap()
}

/// The first of two values is no better than the last, whether or not a number has a point.
async fn what_is_given_twice_is_refused(open: &Open, operation: &Operation, subject: &Subject) {
    let good = subject.body.to_string();
    for (name, value) in subject.body.as_object().unwrap() {
        let point = if value.is_i64() { ".0" } else { "" };
        let twice = format!("{{\"{name}\":{value}{point},{}", &good[1..]);
        let reply = send(open, operation, subject, Some("application/json"), twice.into()).await;
        reply.invalid(name);
    }
}

async fn what_is_no_json_object_is_refused(open: &Open, operation: &Operation, subject: &Subject) {
    let good = subject.body.to_string();
    let deep = "[".repeat(10_000);
    let mut wrong: Vec<Vec<u8>> = ["{", "}", "nonsense", "{'a': 1}", "{\"a\": 01}", "\u{feff}{}", &deep]
        .map(|text| text.as_bytes().to_vec())
        .into();
    wrong.push(good[..good.len() - 1].into());
    wrong.push(format!("{good} {good}").into());
    wrong.push(b"{\"a\": \"\xff\xfe\"}".to_vec());
    wrong.push(b"\0".to_vec());
    for text in ["null", "[]", "[[]]", "true", "7", "\"{}\""] {
        wrong.push(text.into());
    }
    let values: Vec<&Value> = subject.body.as_object().unwrap().values().collect();
    wrong.push(serde_json::to_vec(&values).unwrap());
    if operation.needs_body() {
        wrong.push(Vec::new());
        wrong.push(b"  \n".to_vec());
    }
    for body in wrong {
        let shown: String = String::from_utf8_lossy(&body).chars().take(100).collect();
        let reply = send(open, operation, subject, Some("application/json"), body).await;
        assert_eq!(reply.status, 400, "{} with {shown}: {}", operation.name(), reply.text);
        let code = reply.code().to_owned();
        reply.refused(400, if code == "invalid" { "invalid" } else { "malformed" });
    }
}

async fn other_media_types_are_refused(open: &Open, operation: &Operation, subject: &Subject) {
    let body = subject.body.to_string();
    for media in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
        Some(""),
    ] {
        let reply = send(open, operation, subject, media, body.clone().into()).await;
        reply.refused(415, "unsupported_media_type");
    }
    for coding in ["gzip", "br", "nonsense"] {
        let request = raw(open, operation, subject, body.clone().into());
        let request = request.header("content-type", "application/json").header("content-encoding", coding);
        open.api.send(request).await.unwrap().refused(415, "unsupported_media_type");
    }
}

async fn large_bodies_are_refused(open: &Open, operation: &Operation, subject: &Subject) {
    for size in [64 * 1024 + 1, 2 * 1024 * 1024] {
        let body = vec![b' '; size];
        send(open, operation, subject, Some("application/json"), body).await.refused(413, "too_large");
    }
}

async fn what_is_just_allowed_is_read(open: &Open, operation: &Operation) {
    let subject = Subject::of(open, operation).await;
    for body in extremes(operation, operation.body().unwrap(), &subject.body) {
        let reply = attempt(open, operation, &subject, &subject.path, &body).await;
        let named = reply.body["errors"].is_array();
        assert!(!named && reply.status != 400, "{} with {body}: {}", operation.name(), reply.text);
    }
}

/// All that can be seen of what the owner of a subject has, and of what the shop sells.
async fn state(open: &Open, subject: &Subject) -> Value {
    let mut seen = json!({});
    for path in [
        "auth/profile",
        "auth/sessions",
        "auth/addresses",
        "cart",
        "order?limit=100",
        "delivery?limit=100",
        "notification/preferences",
        "products?limit=100",
        "categories",
    ] {
        let line = format!("GET /api/v1/{path}");
        seen[path] = open.ask(&subject.owner.token, &line, Value::Null).await.is(200);
    }
    for order in seen["order?limit=100"].as_array().cloned().unwrap_or_default() {
        let id = &order["id"];
        for path in [format!("order/{id}/events"), format!("payment/{id}")] {
            let line = format!("GET /api/v1/{path}");
            seen[path] = open.ask(&subject.owner.token, &line, Value::Null).await.is(200);
        }
    }
    seen
}
