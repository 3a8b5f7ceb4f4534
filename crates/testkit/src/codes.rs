//! Whether the OpenAPI document of a service and its enum of error codes agree.

use std::collections::BTreeSet;

use chassis::{Codes, Service};
use serde_json::Value;

/// What is wrong with the codes in the document of a service, if anything: an error answer that no
/// [`Refusals`](chassis::http::Refusals) describes, a code that no enum has, and one of `codes` that no route names, unless
/// it is said to be `internal`: answered over gRPC only.
pub fn undocumented<S: Service>(codes: Codes, internal: Codes) -> Vec<String> {
    let document = chassis::http::complete(S::http().into_openapi(), S::NAME, "http://localhost:8080");
    let document = serde_json::to_value(document).unwrap();
    let (mut documented, mut faults) = (BTreeSet::new(), Vec::new());
    for (status, answer) in error_answers(&document) {
        match answer["content"]["application/problem+json"]["examples"].as_object() {
            Some(examples) => documented.extend(examples.keys().map(|code| (status.clone(), code.clone()))),
            None => faults.push(format!("{status} {} has no code of a type", answer["description"])),
        }
    }
    let pairs = |codes: Codes| -> BTreeSet<(String, String)> {
        codes.iter().map(|code| (code.status().as_str().to_owned(), code.as_str().to_owned())).collect()
    };
    let (own, internal, common) = (pairs(codes), pairs(internal), pairs(chassis::Code::ALL));
    let unknown = documented.iter().filter(|code| !own.contains(code) && !common.contains(code));
    faults.extend(unknown.map(|code| format!("no enum has {code:?}")));
    let expected: BTreeSet<_> = own.difference(&internal).cloned().collect();
    faults.extend(expected.difference(&documented).map(|code| format!("no route names {code:?}")));
    faults.extend(documented.intersection(&internal).map(|code| format!("{code:?} is not internal")));
    faults
}

fn error_answers(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let items = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    let operations = items.filter_map(Value::as_object).flat_map(|item| item.values());
    let answers = operations.filter_map(|operation| operation["responses"].as_object()).flatten();
    answers.filter(|(status, _)| status.starts_with(['4', '5']))
}
