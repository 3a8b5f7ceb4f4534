//! Which changes of a schema break a client: what it may send must not shrink, what it gets must not lack anything.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The client sends it: what is accepted now has to be accepted later.
    Request,
    /// The client reads it: what is there now has to be there later.
    Response,
}

/// The named schemas of both documents.
pub(super) struct Schemas<'a> {
    old: &'a Value,
    new: &'a Value,
}

/// A schema with everything that it refers to.
#[derive(Default)]
struct Flat<'a> {
    types: BTreeSet<&'a str>,
    properties: BTreeMap<&'a str, &'a Value>,
    required: BTreeSet<&'a str>,
    values: Option<Vec<&'a Value>>,
    closed: bool,
    words: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(old: &'a Value, new: &'a Value) -> Self {
        Self { old: &old["components"]["schemas"], new: &new["components"]["schemas"] }
    }

    /// Adds a sentence for every change that breaks a client.
    pub(super) fn compare(
        &self,
        direction: Direction,
        at: &str,
        old: &Value,
        new: &Value,
        found: &mut Vec<String>,
    ) {
        let mut before = Flat::default();
        before.read(self.old, old);
        let mut now = Flat::default();
        now.read(self.new, new);
        match direction {
            Direction::Request => narrowed(at, &before, &now, found),
            Direction::Response => thinned(at, &before, &now, found),
        }
        for (name, old) in &before.properties {
            let at = format!("{at}.{name}");
            match now.properties.get(name) {
                Some(new) => self.compare(direction, &at, old, new, found),
                None => found.push(format!("{at} is gone")),
            }
        }
        if let (Some(old), Some(new)) = (before.words.get("items"), now.words.get("items")) {
            self.compare(direction, &format!("{at}[]"), old, new, found);
        }
    }
}

impl<'a> Flat<'a> {
    fn read(&mut self, named: &'a Value, schema: &'a Value) {
        let Some(members) = schema.as_object() else { return };
        for (word, value) in members {
            match word.as_str() {
                "$ref" => {
                    let name = value.as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
                    self.read(named, &named[name]);
                }
                "allOf" | "oneOf" | "anyOf" => {
                    strings_or_items(value).for_each(|part| self.read(named, part));
                }
                "type" => self.types.extend(strings_or_items(value).filter_map(Value::as_str)),
                "properties" => {
                    let properties = value.as_object().into_iter().flatten();
                    self.properties.extend(properties.map(|(name, schema)| (name.as_str(), schema)));
                }
                "required" => self.required.extend(strings_or_items(value).filter_map(Value::as_str)),
                "enum" => self.values = Some(strings_or_items(value).collect()),
                "additionalProperties" => self.closed = *value == false,
                _ => drop(self.words.insert(word, value)),
            }
        }
    }

    fn number(&self, word: &str) -> Option<f64> {
        self.words.get(word).and_then(|value| value.as_f64())
    }
}

/// What was sent before and would be refused now.
fn narrowed(at: &str, old: &Flat, new: &Flat, found: &mut Vec<String>) {
    let mut note = |what: String| found.push(format!("{at}{what}"));
    if let Some(gone) = old.types.iter().find(|kind| !takes(&new.types, kind)) {
        note(format!(" cannot be of type {gone} any more"));
    }
    for name in new.required.difference(&old.required) {
        note(format!(".{name} is required now"));
    }
    if new.closed && !old.closed {
        note(" takes no other members any more".to_owned());
    }
    if let Some(values) = &new.values {
        match &old.values {
            None => note(" takes only some values now".to_owned()),
            Some(before) => before
                .iter()
                .filter(|value| !values.contains(value))
                .for_each(|value| note(format!(" does not take {value} any more"))),
        }
    }
    for word in ["maximum", "maxLength", "maxItems"] {
        if new.number(word).is_some_and(|now| old.number(word).is_none_or(|before| now < before)) {
            note(format!(" has a lower {word}"));
        }
    }
    for word in ["minimum", "minLength", "minItems"] {
        if new.number(word).is_some_and(|now| old.number(word).is_none_or(|before| now > before)) {
            note(format!(" has a higher {word}"));
        }
    }
    for word in ["pattern", "format", "uniqueItems"] {
        if new.words.contains_key(word) && old.words.get(word) != new.words.get(word) {
            note(format!(" has another {word}"));
        }
    }
}

/// What a client could rely on before and cannot now.
fn thinned(at: &str, old: &Flat, new: &Flat, found: &mut Vec<String>) {
    if let Some(more) = new.types.iter().find(|kind| !takes(&old.types, kind)) {
        found.push(format!("{at} can be of type {more} now"));
    }
    for name in old.required.difference(&new.required).filter(|name| new.properties.contains_key(*name)) {
        found.push(format!("{at}.{name} may be missing now"));
    }
}

fn takes(types: &BTreeSet<&str>, kind: &str) -> bool {
    types.is_empty() || types.contains(kind) || (kind == "integer" && types.contains("number"))
}

/// The items of an array, or the value itself.
fn strings_or_items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter()
}
