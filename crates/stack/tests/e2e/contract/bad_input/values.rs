//! Values that a schema does not allow.

use std::ops::RangeInclusive;

use regex::Regex;
use serde_json::{Value, json};

use crate::contract::addresses::address;
use crate::contract::documents::Operation;

/// Bodies that are the good one but for a wrong member, each with the name of that member.
pub fn wrong_members(operation: &Operation, schema: &Value, good: &Value) -> Vec<(String, Value)> {
    let mut wrong = Vec::new();
    for (name, member) in schema["properties"].as_object().unwrap() {
        let mut with = |field: String, value: Value| {
            let mut body = good.clone();
            body[name] = value;
            wrong.push((field, body));
        };
        let nullable = member["oneOf"].is_array() || types(member).any(|kind| kind == "null");
        let schema = operation.resolve(member);
        if !nullable && schema["type"] != "null" {
            with(name.clone(), Value::Null);
        }
        for value in wrong_values(schema).into_iter().chain(wrong_lists(operation, schema)) {
            with(name.clone(), value);
        }
        if schema["items"].is_object() {
            for item in wrong_values(operation.resolve(&schema["items"])) {
                with(format!("{name}[0]"), json!([item]));
            }
        }
        if schema["properties"].is_object() {
            for (field, value) in wrong_members(operation, schema, &address()) {
                with(format!("{name}.{field}"), value);
            }
        }
    }
    wrong.extend(without_required(schema, good));
    wrong.extend(with_unknown(schema, good));
    wrong
}

fn without_required(schema: &Value, good: &Value) -> Vec<(String, Value)> {
    let required = schema["required"].as_array().into_iter().flatten();
    let without = |name: &Value| {
        let name = name.as_str().unwrap();
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        (name.to_owned(), body)
    };
    required.map(without).collect()
}

fn with_unknown(schema: &Value, good: &Value) -> Vec<(String, Value)> {
    if schema["additionalProperties"] != false {
        return Vec::new();
    }
    let with = |name: &str| {
        let mut body = good.clone();
        body[name] = json!(1);
        (name.to_owned(), body)
    };
    ["nonsense", "id", "role"].map(with).into()
}

/// Bodies that are the good one but for a member at the edge of what is allowed.
pub fn extremes(operation: &Operation, schema: &Value, good: &Value) -> Vec<Value> {
    let mut bodies = Vec::new();
    for (name, member) in schema["properties"].as_object().unwrap() {
        let schema = operation.resolve(member);
        let inner = schema["properties"].is_object().then(|| extremes(operation, schema, &address()));
        for value in edges(schema).into_iter().chain(inner.into_iter().flatten()) {
            let mut body = good.clone();
            body[name] = value;
            bodies.push(body);
        }
    }
    bodies
}

/// The longest text, made of characters of four bytes where they are allowed, and the least and the largest number.
fn edges(schema: &Value) -> Vec<Value> {
    let numbers = ["minimum", "maximum"].map(|edge| schema[edge].clone());
    let mut edges: Vec<Value> = numbers.into_iter().filter(|number| !number.is_null()).collect();
    let length = |edge: &str| schema[edge].as_u64().map(|length| usize::try_from(length).unwrap());
    if schema["format"] != "email" && schema["enum"].is_null() {
        let pattern = schema["pattern"].as_str().map(|pattern| Regex::new(pattern).unwrap());
        let texts = ["minLength", "maxLength"]
            .into_iter()
            .filter_map(length)
            .flat_map(|n| ["😀".repeat(n), "a".repeat(n)]);
        let allowed = texts.filter(|text| pattern.as_ref().is_none_or(|pattern| pattern.is_match(text)));
        edges.extend(allowed.map(Value::from));
    }
    edges
}

/// Texts that a parameter must not be, ready for a URL.
pub fn wrong_texts(schema: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if types(schema).any(|kind| kind == "integer") {
        wrong.extend(["", "one", "1.5", "1e1", "%F0%9F%98%80"].map(str::to_owned));
        wrong.extend(numbers_outside(schema).iter().map(Value::to_string));
    }
    if schema["enum"].is_array() {
        wrong.extend(["", "nonsense", "%F0%9F%98%80", "1"].map(str::to_owned));
    }
    if let Some(most) = schema["maxLength"].as_u64() {
        wrong.push("x".repeat(usize::try_from(most).unwrap() + 1));
    }
    wrong
}

fn types(schema: &Value) -> impl Iterator<Item = &str> {
    let one = schema["type"].as_str();
    let many = schema["type"].as_array().into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(many)
}

fn wrong_values(schema: &Value) -> Vec<Value> {
    let is = |wanted: &str| types(schema).any(|kind| kind == wanted);
    let others = [
        ("string", json!("text")),
        ("integer", json!(7)),
        ("boolean", json!(true)),
        ("array", json!([])),
        ("object", json!({"nonsense": 1})),
    ];
    let mut wrong: Vec<Value> =
        others.into_iter().filter(|(kind, _)| !is(kind)).map(|(_, value)| value).collect();
    if is("integer") {
        wrong.extend([json!(1.5), json!("1"), json!(9_223_372_036_854_775_808_u64), json!(1e300)]);
        wrong.extend(numbers_outside(schema));
    }
    if is("string") {
        wrong.extend(wrong_strings(schema).into_iter().map(Value::from));
    }
    wrong
}

/// Lists with too many, too few, or equal items, each of which would do.
fn wrong_lists(operation: &Operation, schema: &Value) -> Vec<Value> {
    let Some(most) = schema["maxItems"].as_u64() else { return Vec::new() };
    let item = operation.resolve(&schema["items"]);
    let choice = item["enum"].get(0);
    let some = |n: u64| choice.cloned().unwrap_or_else(|| json!(n));
    let mut wrong = vec![(1..=most + 1).map(some).collect()];
    wrong.extend((schema["minItems"] == 1).then(|| json!([])));
    wrong.extend((schema["uniqueItems"] == true).then(|| json!([some(1), some(1)])));
    wrong
}

fn numbers_outside(schema: &Value) -> Vec<Value> {
    let (least, most) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
    let allowed: RangeInclusive<i64> = least.unwrap_or(i64::MIN)..=most.unwrap_or(i64::MAX);
    let beside = [least.and_then(|least| least.checked_sub(1)), most.and_then(|most| most.checked_add(1))];
    let huge = [-1, 0, 2_147_483_648, 4_294_967_297, i64::MIN, i64::MAX].map(Some);
    let numbers = beside.into_iter().chain(huge).flatten();
    numbers.filter(|number| !allowed.contains(number)).map(Value::from).collect()
}

fn wrong_strings(schema: &Value) -> Vec<String> {
    let length = |limit: &str| schema[limit].as_u64().map(|length| usize::try_from(length).unwrap());
    let (least, most) = (length("minLength").unwrap_or(0), length("maxLength").unwrap_or(usize::MAX));
    let pattern = schema["pattern"].as_str().map(|pattern| Regex::new(pattern).unwrap());
    let chosen = schema["enum"].as_array();
    let allowed = |text: &str| {
        (least..=most).contains(&text.chars().count())
            && !text.contains('\0')
            && pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
            && chosen.is_none_or(|chosen| chosen.iter().any(|one| one == text))
            && (schema["format"] != "email" || text == "ani@example.com")
    };
    let mut candidates: Vec<String> =
        ["", " ", "😀", "😀😀😀", "id", "a b c d", "a@b", "<b>", "nul\0nul"].map(str::to_owned).into();
    candidates.extend(["x".repeat(300), "😀".repeat(300), "x".repeat(5001)]);
    candidates.extend((most < 6000).then(|| "é".repeat(most + 1)));
    candidates.retain(|text| !allowed(text));
    candidates
}
