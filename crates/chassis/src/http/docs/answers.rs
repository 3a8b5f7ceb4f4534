//! How the answers of an operation are described: the errors that every operation has, the codes of each error, and the
//! headers.

use axum::http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::{
    AllOfBuilder, ContentBuilder, Header, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response,
    ResponseBuilder, Schema, Type, example::ExampleBuilder, path::Operation,
};

/// What any operation may say while a part of the shop is away: the gateway, the chassis, and what keeps the data.
const AWAY: [&str; 4] =
    ["upstream_unavailable", "deadline_exceeded", "database_unavailable", "redis_unavailable"];

/// Adds the errors that the operation has because of its form.
pub(super) fn add_common(operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let has_input = has_body || operation.parameters.as_ref().is_some_and(|list| !list.is_empty());
    let needs_token = operation.security.is_some();
    let mut add = |applies: bool, status: &str, description: &str| {
        if applies {
            let response = ResponseBuilder::new().description(description).build();
            operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
        }
    };
    add(has_input, "400", "The input is malformed or not valid; its errors name the members");
    add(needs_token, "401", "No token, or one that is not valid, has expired, or whose session has ended");
    add(has_body, "413", "The body is larger than 64 KiB");
    add(has_body, "415", "The body is not application/json, or has a Content-Encoding");
    add(true, "503", "Something that this needs does not answer: see Retry-After");
}

/// Describes what an answer has beyond its own words.
pub(super) fn complete(status: &str, response: &mut Response) {
    let mut add = |name: &str, header: Header| {
        response.headers.entry(name.to_owned()).or_insert(header.into());
    };
    add("X-Correlation-ID", correlation_id());
    match status {
        "401" => add("WWW-Authenticate", text("How to log in", "Bearer")),
        "429" | "503" => add("Retry-After", seconds()),
        _ => {}
    }
    if status.starts_with(['4', '5']) && response.content.is_empty() {
        let codes = codes(status, &response.description);
        let content = ContentBuilder::new()
            .schema(Some(problem(&codes)))
            .examples_from_iter(codes.iter().map(|code| (code.clone(), example(status, code, response))))
            .build();
        response.content.insert("application/problem+json".to_owned(), content.into());
    }
}

/// The codes that an error's description names, or those that its status has anyway.
fn codes(status: &str, description: &str) -> Vec<String> {
    let is_code = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let named: Vec<&str> = description.split('`').skip(1).step_by(2).filter(|word| is_code(word)).collect();
    let own: &[&str] = match status {
        "503" => &AWAY,
        _ if !named.is_empty() => &[],
        "400" => &["invalid", "malformed"],
        "401" => &["unauthorized"],
        "403" => &["forbidden"],
        "404" => &["not_found"],
        "413" => &["too_large"],
        "415" => &["unsupported_media_type"],
        "429" => &["too_many_requests"],
        _ => &[],
    };
    named.into_iter().chain(own.iter().copied()).map(str::to_owned).collect()
}

fn problem(codes: &[String]) -> Schema {
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes.to_vec()));
    AllOfBuilder::new()
        .item(Ref::from_schema_name("Problem"))
        .item(ObjectBuilder::new().property("code", code))
        .into()
}

fn example(status: &str, code: &str, response: &Response) -> utoipa::openapi::example::Example {
    let known: Option<StatusCode> = status.parse().ok();
    let title = known.and_then(|status| status.canonical_reason()).unwrap_or("Error");
    let mut value = json!({
        "type": format!("/problems/{code}"),
        "title": title,
        "status": known.map(|status| status.as_u16()),
        "detail": response.description.replace('`', ""),
        "code": code,
        "correlation_id": CORRELATION_ID,
    });
    if code == "invalid" {
        value["errors"] = json!([{ "field": "quantity", "message": "greater than 1000" }]);
    }
    ExampleBuilder::new().value(Some(value)).build()
}

const CORRELATION_ID: &str = "0f8fad5bd9cb469fa16570867728950e";

fn correlation_id() -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Za-z0-9._-]{1,64}$"));
    let about = "The request's own, or a new one: quote it when you ask for help";
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(about))
        .example(Some(CORRELATION_ID.into()))
        .build()
}

fn seconds() -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(3600));
    let about = "After how many seconds another attempt makes sense";
    HeaderBuilder::new().schema(Some(schema)).description(Some(about)).example(Some(Value::from(1))).build()
}

fn text(about: &str, only: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([only]));
    HeaderBuilder::new().schema(Some(schema)).description(Some(about)).example(Some(only.into())).build()
}
