//! What a document does not allow, the shop refuses with a problem that names the member, and nothing comes of it.

use serde_json::{Value, json};
use stack::api::Reply;

use crate::story::Story;
use crate::support::{Operation, document, example, validator};

const JSON: &str = "application/json";
/// What can be seen of all that a request could change.
const VISIBLE: [&str; 9] = [
    "/api/v1/products?limit=100",
    "/api/v1/categories",
    "/api/v1/auth/profile",
    "/api/v1/auth/addresses",
    "/api/v1/auth/sessions",
    "/api/v1/cart",
    "/api/v1/order/all",
    "/api/v1/delivery",
    "/api/v1/notification/preferences",
];

#[tokio::test]
async fn what_a_document_does_not_allow_is_refused_and_changes_nothing() {
    let story = Story::begin().await;
    let before = visible(&story).await;
    for operation in Operation::all() {
        if operation.request().is_some() {
            bad_members(&story, &operation).await;
            bad_bodies(&story, &operation).await;
        }
        bad_parameters(&story, &operation).await;
    }
    assert_eq!(visible(&story).await, before);
    story.end().await;
}

async fn visible(story: &Story) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in VISIBLE {
        seen.push(story.ask("GET", path, JSON, Vec::new()).await.expect(200).unwrap());
    }
    seen
}

/// What no member takes, or only some.
fn values() -> Vec<Value> {
    let mut values = vec![json!(null), json!(true), json!([]), json!({}), json!([1, 1]), json!(["x"])];
    values.extend([
        json!(0),
        json!(-1),
        json!(1.5),
        json!(4_294_967_297_i64),
        json!(9_223_372_036_854_775_808_u64),
    ]);
    values.extend([
        json!(""),
        json!("x".repeat(300)),
        json!("\u{1f600}"),
        json!("a\u{0}b"),
        json!("x".repeat(6000)),
    ]);
    values
}

async fn bad_members(story: &Story, operation: &Operation) {
    let document = document(operation.service);
    let schema = operation.request().unwrap();
    let (validator, good) = (validator(&document, schema), example(&document, schema));
    let path = path(operation, "1");
    let members = good.as_object().unwrap().keys().map(String::as_str).chain(["role"]);
    for member in members {
        for value in values() {
            let mut body = good.clone();
            body[member] = value;
            if !validator.is_valid(&body) {
                let reply = story.ask(&operation.method, &path, JSON, body.to_string().into()).await;
                // Of two members that go together, either may be the wrong one.
                let wrong = if member == "method" { &["method", "reference"][..] } else { &[member] };
                assert_names(&reply, wrong, &format!("{}: {body}", operation.id()));
            }
        }
    }
}

async fn bad_bodies(story: &Story, operation: &Operation) {
    let path = path(operation, "1");
    let send = |kind, body: &[u8]| story.ask(&operation.method, &path, kind, body.to_vec());
    for body in [&b"{"[..], b"[1,", b"\xff", b"\0"] {
        assert_eq!(send(JSON, body).await.status, 400, "{}", operation.id());
    }
    for body in ["[]", "1", "null", "\"x\"", "{} {}"] {
        assert_eq!(send(JSON, body.as_bytes()).await.status, 400, "{}: {body}", operation.id());
    }
    let good = example(&document(operation.service), operation.request().unwrap());
    let values: Value = good.as_object().unwrap().values().cloned().collect();
    assert_problem(&send(JSON, values.to_string().as_bytes()).await, 400, "invalid", operation.id());
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        assert_problem(&send(kind, b"{}").await, 415, "unsupported_media_type", operation.id());
    }
    assert_problem(&send(JSON, &vec![b' '; 2_000_000]).await, 413, "too_large", operation.id());
}

async fn bad_parameters(story: &Story, operation: &Operation) {
    let whole = document(operation.service);
    for parameter in operation.value["parameters"].as_array().into_iter().flatten() {
        let (name, place) = (parameter["name"].as_str().unwrap(), parameter["in"].as_str().unwrap());
        let mut schema = &parameter["schema"];
        if let Some(target) = schema["$ref"].as_str() {
            schema = whole.pointer(target.trim_start_matches('#')).unwrap();
        }
        let is_number = schema["type"].to_string().contains("integer");
        let values = if is_number || schema.get("enum").is_some() {
            vec!["x", "-1", "1.5", "9223372036854775808", "%F0%9F%98%80", "%27--"]
        } else {
            vec![]
        };
        for value in values {
            let path = match place {
                "path" => path(operation, value),
                "query" => format!("{}?{name}={value}", operation.path),
                _ => continue,
            };
            let reply = story.ask(&operation.method, &path, JSON, Vec::new()).await;
            assert_names(&reply, &[name], &path);
        }
    }
}

/// The path of a route with this in the place of its parameter.
fn path(operation: &Operation, value: &str) -> String {
    let path = &operation.path;
    match (path.find('{'), path.find('}')) {
        (Some(start), Some(end)) => format!("{}{value}{}", &path[..start], &path[end + 1..]),
        _ => path.clone(),
    }
}

fn assert_names(reply: &Reply, members: &[&str], at: &str) {
    assert_problem(reply, 400, "invalid", at);
    let field = reply.body["errors"][0]["field"].as_str().unwrap_or_default();
    assert!(members.iter().any(|member| field.starts_with(member)), "{at}: {}", reply.text);
}

fn assert_problem(reply: &Reply, status: u16, code: &str, at: &str) {
    assert_eq!((reply.status, reply.code()), (status, code), "{at}: {}", reply.text);
    assert_eq!(reply.header("content-type"), "application/problem+json", "{at}");
}
