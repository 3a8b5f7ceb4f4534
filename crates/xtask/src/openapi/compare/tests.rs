use serde_json::{Value, json};

use super::breaking;

fn document() -> Value {
    json!({
        "paths": { "/things": { "post": {
            "operationId": "make_thing",
            "parameters": [
                { "name": "limit", "in": "query", "schema": { "type": "integer", "maximum": 100 } },
            ],
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/New" } } } },
            "responses": {
                "201": {
                    "headers": { "Location": {} },
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } },
                },
                "409": { "content": { "application/problem+json": { "schema": { "type": "object" } } } },
            },
        } } },
        "components": { "schemas": {
            "New": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": { "type": "string", "minLength": 1, "maxLength": 200 },
                    "kind": { "type": "string", "enum": ["a", "b"] },
                    "tags": { "type": ["array", "null"], "items": { "type": "integer", "minimum": 1 } },
                },
                "additionalProperties": false,
            },
            "Thing": {
                "type": "object",
                "required": ["id", "owner"],
                "properties": {
                    "id": { "type": "integer" },
                    "owner": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Owner" }] },
                },
            },
            "Owner": { "type": "object", "required": ["id"], "properties": { "id": { "type": "integer" } } },
        } },
    })
}

const POST: &str = "/paths/~1things/post";
const NEW: &str = "/components/schemas/New";
const THING: &str = "/components/schemas/Thing";
const OWNER: &str = "/components/schemas/Owner";

/// What the document says of itself after the member at a place was replaced; `null` removes it.
fn after(place: &str, value: Value) -> Vec<String> {
    let mut new = document();
    let (parent, name) = place.rsplit_once('/').unwrap();
    let parent = new.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    let name = name.replace("~1", "/");
    if value.is_null() {
        parent.remove(&name)
    } else {
        parent.insert(name, value)
    };
    breaking(&document(), &new)
}

#[test]
fn what_is_taken_away_is_breaking() {
    let at = |base: &str, rest: &str| format!("{base}{rest}");
    let cases = [
        ("/paths/~1things".to_owned(), "POST /things is gone"),
        (POST.to_owned(), "POST /things is gone"),
        (at(POST, "/operationId"), "POST /things: its operationId was \"make_thing\""),
        (at(POST, "/parameters"), "POST /things: query parameter limit is gone"),
        (at(POST, "/responses/409"), "POST /things, 409 is gone"),
        (at(POST, "/responses/201/headers/Location"), "POST /things, 201: the header Location is gone"),
        (at(POST, "/responses/201/content/application~1json"), "POST /things, 201: application/json is gone"),
        (at(NEW, "/properties/kind"), "POST /things, body.kind is gone"),
        (at(THING, "/properties/id"), "POST /things, 201.id is gone"),
        (at(OWNER, "/properties/id"), "POST /things, 201.owner.id is gone"),
        (at(OWNER, "/required"), "POST /things, 201.owner.id may be missing now"),
    ];
    for (place, sentence) in cases {
        assert_eq!(after(&place, Value::Null), [sentence], "{place}");
    }
}

#[test]
fn what_an_operation_demands_is_breaking() {
    let at = |rest: &str| format!("{POST}{rest}");
    let parameters = |required| {
        json!([
            { "name": "limit", "in": "query", "schema": { "type": "integer", "maximum": 100 } },
            { "name": "page", "in": "query", "required": required, "schema": {} },
        ])
    };
    let demanded = after(&at("/parameters"), parameters(true));
    assert_eq!(demanded, ["POST /things: query parameter page is required now"]);
    assert_eq!(after(&at("/parameters"), parameters(false)), [""; 0]);
    assert_eq!(after(&at("/security"), json!([{ "token": [] }])), ["POST /things needs a token now"]);
    assert_eq!(after(&at("/requestBody/required"), json!(true)), ["POST /things: a body is required now"]);
}

#[test]
fn what_a_body_may_no_longer_be_is_breaking() {
    let cases = [
        ("/required", json!(["name", "kind"]), "body.kind is required now"),
        ("/properties/name/maxLength", json!(199), "body.name has a lower maxLength"),
        ("/properties/name/minLength", json!(2), "body.name has a higher minLength"),
        ("/properties/name/pattern", json!("x"), "body.name has another pattern"),
        ("/properties/name/type", json!("integer"), "body.name cannot be of type string any more"),
        ("/properties/name/enum", json!(["x"]), "body.name takes only some values now"),
        ("/properties/kind/enum", json!(["a"]), "body.kind does not take \"b\" any more"),
        ("/properties/tags/type", json!("array"), "body.tags cannot be of type null any more"),
        ("/properties/tags/items/minimum", json!(2), "body.tags[] has a higher minimum"),
    ];
    for (place, value, sentence) in cases {
        assert_eq!(after(&format!("{NEW}{place}"), value), [format!("POST /things, {sentence}")], "{place}");
    }
    let mut open = document();
    open.pointer_mut(NEW).unwrap()["additionalProperties"] = json!(true);
    assert_eq!(breaking(&open, &document()), ["POST /things, body takes no other members any more"]);
}

#[test]
fn what_an_answer_may_be_now_is_breaking() {
    for (kind, added) in [(json!(["integer", "null"]), "null"), (json!("string"), "string")] {
        let found = after(&format!("{THING}/properties/id/type"), kind);
        assert_eq!(found, [format!("POST /things, 201.id can be of type {added} now")]);
    }
}

#[test]
fn additions_break_nobody() {
    let at = |base: &str, rest: &str| format!("{base}{rest}");
    let cases = [
        ("/paths/~1others".to_owned(), json!({ "get": {} })),
        (at(POST, "/responses/422"), json!({})),
        (at(POST, "/security"), json!([{}, { "token": [] }])),
        (at(NEW, "/properties/note"), json!({ "type": "string" })),
        (at(NEW, "/required"), json!([])),
        (at(NEW, "/properties/name/maxLength"), json!(300)),
        (at(NEW, "/properties/kind/enum"), json!(["a", "b", "c"])),
        (at(THING, "/properties/more"), json!({ "type": "string" })),
        (at(THING, "/required"), json!(["id", "owner", "more"])),
        (at(THING, "/description"), json!("in other words")),
    ];
    for (place, value) in cases {
        assert_eq!(after(&place, value), [""; 0], "{place}");
    }
}
