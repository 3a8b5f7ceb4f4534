//! Members that depend on one another. utoipa has no words for that, so a member says it with two of our own, and the
//! document says it in JSON Schema's.

use serde_json::{Value, json};
use utoipa::openapi::{Object, RefOr, Schema};

/// The member is needed when the named one is there.
const NEEDED_WITH: &str = "x-needed-with";
/// The named member is needed when this one is there.
const ONLY_WITH: &str = "x-only-with";

/// Turns the words of an object's members into rules of the object.
pub(super) fn complete(object: &mut Object) {
    let mut rules = Vec::new();
    for (name, member) in &mut object.properties {
        let Some(extensions) = extensions(member) else { continue };
        let mut take = |word: &str| extensions.remove(word)?.as_str().map(str::to_owned);
        if let Some(other) = take(NEEDED_WITH) {
            rules.push(if_then(&other, name));
        }
        if let Some(other) = take(ONLY_WITH) {
            rules.push(if_then(name, &other));
        }
    }
    if !rules.is_empty() {
        object.extensions.get_or_insert_default().insert("allOf".to_owned(), rules.into());
    }
}

fn extensions(member: &mut RefOr<Schema>) -> Option<&mut utoipa::openapi::extensions::Extensions> {
    match member {
        RefOr::T(Schema::Object(object)) => object.extensions.as_mut(),
        RefOr::T(Schema::OneOf(choice)) => choice.extensions.as_mut(),
        _ => None,
    }
}

/// `null` is as good as absent.
fn if_then(cause: &str, needed: &str) -> Value {
    let is_there =
        |name: &str| json!({ "required": [name], "not": { "properties": { name: { "type": "null" } } } });
    json!({ "if": is_there(cause), "then": is_there(needed) })
}
