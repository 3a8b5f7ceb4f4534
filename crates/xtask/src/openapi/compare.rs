//! Which changes of a document break a client that was written for the old one.

use serde_json::Value;

use super::schema::{Direction, Schemas};

const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

/// A sentence for every change that breaks a client of the old document; additions break nobody.
pub fn breaking(old: &Value, new: &Value) -> Vec<String> {
    let mut comparison = Comparison { schemas: Schemas::new(old, new), found: Vec::new() };
    for (path, item) in members(&old["paths"]) {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                let at = format!("{} {path}", method.to_uppercase());
                match new["paths"][path].get(method) {
                    Some(now) => comparison.operation(&at, operation, now),
                    None => comparison.found.push(format!("{at} is gone")),
                }
            }
        }
    }
    comparison.found
}

struct Comparison<'a> {
    schemas: Schemas<'a>,
    found: Vec<String>,
}

impl Comparison<'_> {
    fn operation(&mut self, at: &str, old: &Value, new: &Value) {
        if old["operationId"] != new["operationId"] {
            self.found.push(format!("{at}: its operationId was {}", old["operationId"]));
        }
        if is_open(old) && !is_open(new) {
            self.found.push(format!("{at} needs a token now"));
        }
        self.parameters(at, old, new);
        self.body(at, &old["requestBody"], &new["requestBody"]);
        for (status, answer) in members(&old["responses"]) {
            let at = format!("{at}, {status}");
            match new["responses"].get(status) {
                Some(now) => self.answer(&at, answer, now),
                None => self.found.push(format!("{at} is gone")),
            }
        }
    }

    fn parameters(&mut self, at: &str, old: &Value, new: &Value) {
        for parameter in items(&old["parameters"]) {
            let name = name(parameter);
            match find(new, &name) {
                Some(now) => {
                    let at = format!("{at}, {name}");
                    self.schemas.compare(
                        Direction::Request,
                        &at,
                        &parameter["schema"],
                        &now["schema"],
                        &mut self.found,
                    );
                }
                None => self.found.push(format!("{at}: {name} is gone")),
            }
        }
        for parameter in items(&new["parameters"]).filter(|parameter| parameter["required"] == true) {
            let name = name(parameter);
            if find(old, &name).is_none_or(|before| before["required"] != true) {
                self.found.push(format!("{at}: {name} is required now"));
            }
        }
    }

    fn body(&mut self, at: &str, old: &Value, new: &Value) {
        if new["required"] == true && old["required"] != true {
            self.found.push(format!("{at}: a body is required now"));
        }
        self.contents(Direction::Request, &format!("{at}, body"), old, new);
    }

    fn answer(&mut self, at: &str, old: &Value, new: &Value) {
        for (name, _) in members(&old["headers"]) {
            if new["headers"].get(name).is_none() {
                self.found.push(format!("{at}: the header {name} is gone"));
            }
        }
        self.contents(Direction::Response, at, old, new);
    }

    fn contents(&mut self, direction: Direction, at: &str, old: &Value, new: &Value) {
        for (kind, content) in members(&old["content"]) {
            match new["content"].get(kind) {
                Some(now) => {
                    self.schemas.compare(direction, at, &content["schema"], &now["schema"], &mut self.found);
                }
                None => self.found.push(format!("{at}: {kind} is gone")),
            }
        }
    }
}

/// Whether an operation can be called without a token.
fn is_open(operation: &Value) -> bool {
    let mut ways = items(&operation["security"]).peekable();
    ways.peek().is_none() || ways.any(|way| way.as_object().is_some_and(serde_json::Map::is_empty))
}

fn name(parameter: &Value) -> String {
    let part = |name: &str| parameter[name].as_str().unwrap_or_default().to_owned();
    format!("{} parameter {}", part("in"), part("name"))
}

fn find<'a>(operation: &'a Value, wanted: &str) -> Option<&'a Value> {
    items(&operation["parameters"]).find(|parameter| name(parameter) == wanted)
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests;
