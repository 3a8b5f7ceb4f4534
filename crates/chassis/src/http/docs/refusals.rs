//! How a document describes what an operation refuses: a description, an example per code, and nothing that no type says.

use std::{collections::BTreeMap, marker::PhantomData};

use serde_json::json;
use utoipa::{
    IntoResponses,
    openapi::{
        Content, RefOr, Response,
        example::{Example, ExampleBuilder},
        path::Operation,
    },
};

use crate::{
    codes::{Code, Codes, ErrorCode, Refuses},
    problem::PROBLEM_JSON,
};

pub(super) const CORRELATION_ID: &str = "0f8fad5bd9cb469fa16570867728950e";
/// What any operation may say while a part of the shop is away: the gateway, the chassis, and what keeps the data.
const AWAY: Codes = &[
    &Code::UpstreamUnavailable,
    &Code::DeadlineExceeded,
    &Code::DatabaseUnavailable,
    &Code::RedisUnavailable,
];

/// The error answers of a handler, for `responses(..)` of `#[utoipa::path]`: those of the extractors and errors that it
/// has, as in `Refusals<Admin, CreateProductError>`.
#[derive(Debug)]
pub struct Refusals<A, B = (), C = ()>(PhantomData<(A, B, C)>);

type Responses = BTreeMap<String, RefOr<Response>>;

impl<A: Refuses, B: Refuses, C: Refuses> IntoResponses for Refusals<A, B, C> {
    fn responses() -> Responses {
        let mut responses = Responses::new();
        for code in [A::CODES, B::CODES, C::CODES].concat() {
            add(&mut responses, &[code], |known| joined(known, &sentence(code)));
        }
        responses
    }
}

/// Adds the errors that an operation has because of its form, before its own.
pub(super) fn add_common(operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let has_input = has_body || operation.parameters.as_ref().is_some_and(|list| !list.is_empty());
    let bad_input = "The input is malformed or not valid; its errors name the members";
    let away = "Something that this needs does not answer: see Retry-After";
    let common: [(bool, Codes, &str); 5] = [
        (has_input, &[&Code::Invalid, &Code::Malformed], bad_input),
        (operation.security.is_some(), &[&Code::Unauthorized], plain(&Code::Unauthorized)),
        (has_body, &[&Code::TooLarge], plain(&Code::TooLarge)),
        (has_body, &[&Code::UnsupportedMediaType], plain(&Code::UnsupportedMediaType)),
        (true, AWAY, away),
    ];
    for (_, codes, about) in common.into_iter().filter(|(applies, ..)| *applies) {
        add(&mut operation.responses.responses, codes, |own| joined(about, own));
    }
}

/// Adds codes of one status, and makes a new description of the one that was there.
fn add(responses: &mut Responses, codes: &[&dyn ErrorCode], describe: impl FnOnce(&str) -> String) {
    let Some(status) = codes.first().map(|code| code.status()) else { return };
    let response = responses.entry(status.as_str().to_owned()).or_insert_with(|| Response::default().into());
    let RefOr::T(response) = response else { return };
    response.description = describe(&response.description);
    let content =
        response.content.entry(PROBLEM_JSON.to_owned()).or_insert_with(|| Content::default().into());
    let RefOr::T(content) = content else { return };
    for code in codes {
        content.examples.entry(code.as_str().to_owned()).or_insert_with(|| example(*code).into());
    }
}

fn joined(first: &str, second: &str) -> String {
    let separator = if first.is_empty() || second.is_empty() { "" } else { ". " };
    [first, separator, second].concat()
}

/// What a code means. A code that every service has needs no name beside its status.
fn sentence(code: &dyn ErrorCode) -> String {
    let is_common = Code::ALL.iter().any(|common| common.as_str() == code.as_str());
    if is_common { plain(code).to_owned() } else { format!("`{}`: {}", code.as_str(), plain(code)) }
}

fn plain(code: &dyn ErrorCode) -> &'static str {
    code.about().trim_end_matches('.')
}

fn example(code: &dyn ErrorCode) -> Example {
    let (status, code, detail) = (code.status(), code.as_str(), code.about());
    let mut value = json!({
        "type": format!("/problems/{code}"),
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
        "code": code,
        "correlation_id": CORRELATION_ID,
    });
    if code == Code::Invalid.as_str() {
        value["errors"] = json!([{ "field": "quantity", "message": "greater than 1000" }]);
    }
    ExampleBuilder::new().value(Some(value)).build()
}
