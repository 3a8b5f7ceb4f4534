//! What every answer of an operation has beside its own words: headers, and the schema of an error.

use serde_json::Value;
use utoipa::openapi::{
    AllOfBuilder, Header, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response, Schema, Type,
};

use super::refusals::CORRELATION_ID;
use crate::problem::PROBLEM_JSON;

/// Adds the headers of an answer, and of an error the schema: which codes its examples have.
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
    if let Some(RefOr::T(problem)) = response.content.get_mut(PROBLEM_JSON) {
        problem.schema = Some(schema(problem.examples.keys()).into());
    }
}

fn schema<'a>(codes: impl Iterator<Item = &'a String>) -> Schema {
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes.map(String::as_str)));
    AllOfBuilder::new()
        .item(Ref::from_schema_name("Problem"))
        .item(ObjectBuilder::new().property("code", code))
        .into()
}

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
