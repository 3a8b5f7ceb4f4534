//! What a document has to say of every route and of every member.

use std::collections::BTreeSet;

use serde_json::Value;
use stack::shop::Service;

use crate::support::{Operation, document};

#[test]
fn every_route_says_what_it_is() {
    let mut ids = BTreeSet::new();
    for operation in Operation::all() {
        let at = format!("{} {}", operation.method, operation.path);
        for member in ["summary", "description"] {
            assert!(
                operation.value[member].as_str().is_some_and(|text| text.len() > 5),
                "{at} has no {member}"
            );
        }
        let tags = &document(operation.service)["tags"];
        let tag = &operation.value["tags"][0];
        assert!(
            tags.as_array().unwrap().iter().any(|known| known["name"] == *tag),
            "{at}: {tag} says nothing"
        );
        let id = operation.id().to_owned();
        assert!(!id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{at}: {id}");
        assert!(ids.insert(id), "{at}: its operationId is not unique among all");
    }
}

#[test]
fn every_answer_says_what_it_is_and_every_error_which() {
    for operation in Operation::all() {
        for (status, answer) in operation.answers() {
            let at = format!("{} {}, {status}", operation.method, operation.path);
            assert!(
                answer["description"].as_str().is_some_and(|text| !text.is_empty()),
                "{at} is not described"
            );
            let problem = &answer["content"]["application/problem+json"];
            let codes = problem.pointer("/schema/allOf/1/properties/code/enum").and_then(Value::as_array);
            assert_eq!(status >= 400, codes.is_some_and(|codes| !codes.is_empty()), "{at} has no code");
            for (code, example) in problem["examples"].as_object().into_iter().flatten() {
                assert_eq!(
                    (&example["value"]["code"], &example["value"]["status"]),
                    (&code.as_str().into(), &status.into())
                );
            }
        }
    }
}

#[test]
fn every_member_is_described_and_has_bounds() {
    let mut faults = Vec::new();
    for service in Service::SERVICES {
        let document = document(service);
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let at = format!("{}: {name}", service.name());
            judge(&at, schema, &mut faults);
            for (member, schema) in schema["properties"].as_object().into_iter().flatten() {
                judge(&format!("{at}.{member}"), schema, &mut faults);
            }
        }
    }
    for operation in Operation::all() {
        for parameter in operation.value["parameters"].as_array().into_iter().flatten() {
            let at = format!("{} parameter {}", operation.id(), parameter["name"]);
            if parameter["description"].is_null() {
                faults.push(format!("{at} is not described"));
            }
            bounds(&at, &parameter["schema"], &mut faults);
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

fn judge(at: &str, schema: &Value, faults: &mut Vec<String>) {
    let refers = schema.get("$ref").is_some() || schema.get("oneOf").is_some();
    if schema["description"].is_null() && !refers {
        faults.push(format!("{at} is not described"));
    }
    bounds(at, schema, faults);
}

fn bounds(at: &str, schema: &Value, faults: &mut Vec<String>) {
    let kind = match &schema["type"] {
        Value::Array(kinds) => &kinds[0],
        kind => kind,
    };
    let has = |word: &str| schema.get(word).is_some();
    let bounded = match kind.as_str() {
        Some("integer") => has("minimum") && has("maximum"),
        Some("string") => {
            ["maxLength", "pattern", "enum"].into_iter().any(has) || schema["format"] == "date-time"
        }
        Some("array") => has("maxItems"),
        _ => true,
    };
    if !bounded {
        faults.push(format!("{at} has no bounds"));
    }
    if matches!(kind.as_str(), Some("integer" | "string"))
        && !has("example")
        && !has("enum")
        && !has("default")
        && !at.contains("parameter")
    {
        faults.push(format!("{at} has no example"));
    }
}
