//! Reads the committed API documents, and checks values against their schemas.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stack::{root, shop::Service};

/// The document of a service as it is committed.
pub fn document(service: Service) -> Value {
    let path = root::find().unwrap().join(format!("crates/{}/openapi.json", service.name()));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub struct Operation {
    pub service: Service,
    pub method: String,
    pub path: String,
    pub value: Value,
}

impl Operation {
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for service in Service::SERVICES {
            let document = document(service);
            for (path, item) in document["paths"].as_object().unwrap() {
                for (method, value) in item.as_object().unwrap() {
                    let (method, path) = (method.to_uppercase(), path.clone());
                    all.push(Self { service, method, path, value: value.clone() });
                }
            }
        }
        all
    }

    pub fn id(&self) -> &str {
        self.value["operationId"].as_str().unwrap_or_default()
    }

    /// The schema of its request body.
    pub fn request(&self) -> Option<&Value> {
        self.value.pointer("/requestBody/content/application~1json/schema")
    }

    pub fn answers(&self) -> impl Iterator<Item = (u16, &Value)> {
        let answers = self.value["responses"].as_object().unwrap().iter();
        answers.map(|(status, answer)| (status.parse().unwrap(), answer))
    }
}

/// The schema of what an answer holds.
pub fn schema(answer: &Value) -> Option<&Value> {
    answer["content"].as_object()?.values().next()?.get("schema")
}

/// A validator of one schema of a document.
pub fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [schema],
        "components": document["components"],
    });
    jsonschema::options().should_validate_formats(true).build(&whole).unwrap()
}

/// The example of a schema: its own, or one made of those of its members.
pub fn example(document: &Value, schema: &Value) -> Value {
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(name) = schema["$ref"].as_str() {
        return example(document, document.pointer(name.trim_start_matches('#')).unwrap());
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[0].clone();
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let choice = choices.iter().find(|choice| choice["type"] != "null").unwrap();
        return example(document, choice);
    }
    if let Some(items) = schema.get("items") {
        return json!([example(document, items)]);
    }
    let members = schema["properties"].as_object().unwrap_or_else(|| panic!("no example in {schema}"));
    members.iter().map(|(name, member)| (name.clone(), example(document, member))).collect()
}

/// Fails unless a value fits a schema.
pub fn fits(document: &Value, schema: &Value, value: &Value, at: &str) {
    let faults: Vec<String> = validator(document, schema).iter_errors(value).map(|e| e.to_string()).collect();
    assert!(faults.is_empty(), "{at}: {faults:?} in {value}");
}

/// The files below a folder, by the endings of their names, each with its text.
pub fn files(folder: &Path, endings: &[&str]) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let ending = path.extension().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
        if path.is_dir() {
            files.extend(self::files(&path, endings));
        } else if endings.contains(&ending) {
            let text = std::fs::read_to_string(&path).unwrap();
            files.push((path, text));
        }
    }
    files
}
