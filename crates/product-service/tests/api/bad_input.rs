//! Whatever is sent, the answer names what is wrong with it, and nothing happens.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::Reply;

use crate::{CATEGORIES, PRODUCTS, Shop, at, category, movements, product, seen};

/// A good body with one member replaced.
fn with(member: &str, value: Value) -> Value {
    let mut body = json!({ "name": "Teh", "description": "d", "price": 5, "stock": 3, "category_ids": [] });
    body[member] = value;
    body
}

#[track_caller]
fn assert_names_field(reply: &Reply, field: &str, what: &str) {
    let problem = reply.problem(400, "invalid");
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    assert!(errors.iter().any(|error| error["field"] == field), "{what}: {field} is not in {problem}");
}

/// Values that no product can have, each with the member that is wrong.
fn bad_members() -> Vec<(&'static str, Value)> {
    let (long, longer) = ("x".repeat(201), "x".repeat(5001));
    vec![
        ("name", json!("")),
        ("name", json!(" \t ")),
        ("name", json!(long)),
        ("name", json!("☕".repeat(201))),
        ("name", json!("a\u{0}b")),
        ("name", json!(7)),
        ("name", json!(["Teh"])),
        ("description", json!(longer)),
        ("description", json!("\u{0}")),
        ("price", json!(0)),
        ("price", json!(-1)),
        ("price", json!(1_000_000_000_001_i64)),
        ("price", json!(9_223_372_036_854_775_808_u64)),
        ("price", json!(1.5)),
        ("price", json!("5")),
        ("stock", json!(-1)),
        ("stock", json!(1_000_000_001)),
        ("stock", json!(4_294_967_297_i64)),
        ("stock", json!(true)),
        ("category_ids", json!("1")),
        ("category_ids", json!([1, 2, 1])),
        ("category_ids", json!((1..=101).collect::<Vec<_>>())),
        ("id", json!(9)),
        ("held", json!(9)),
    ]
}

#[tokio::test]
async fn a_bad_member_is_named_when_a_product_is_made_or_changed() {
    let app = Shop::start().await;
    let id = product(&app, "Kopi", 3).await;
    let before = seen(&app, id).await;
    for (member, value) in bad_members() {
        let what = format!("{member}: {value:.60}");
        let reply = app.admin().post(PRODUCTS, with(member, value.clone())).await;
        assert_names_field(&reply, member, &what);
        let reply = app.admin().put(&at(id), json!({ member: value })).await;
        assert_names_field(&reply, member, &what);
    }
    for (ids, field) in [(json!([0]), "category_ids[0]"), (json!([1, -5]), "category_ids[1]")] {
        assert_names_field(&app.admin().post(PRODUCTS, with("category_ids", ids)).await, field, "ids");
    }
    for member in ["name", "price", "stock", "category_ids"] {
        let mut body = with("name", json!("Teh"));
        body.as_object_mut().unwrap().remove(member);
        assert_names_field(&app.admin().post(PRODUCTS, body).await, member, "missing");
    }
    let negative = json!({ "expected_stock": -1 });
    assert_names_field(&app.admin().put(&at(id), negative).await, "expected_stock", "negative");
    assert_eq!(seen(&app, id).await, before);
    assert_eq!(app.anyone().get(PRODUCTS).await.expect(200)["total"], 1);
    assert_eq!(movements(&app, id).await.len(), 1);
}

#[tokio::test]
async fn a_bad_change_of_stock_or_category_is_named() {
    let app = Shop::start().await;
    let id = product(&app, "Kopi", 3).await;
    let stock = format!("{}/stock", at(id));
    let changes = [
        (json!({}), "add"),
        (json!({ "add": "1" }), "add"),
        (json!({ "add": 1.5 }), "add"),
        (json!({ "add": 1_000_000_001 }), "add"),
        (json!({ "add": -4_294_967_297_i64 }), "add"),
        (json!({ "add": 9_223_372_036_854_775_808_u64 }), "add"),
        (json!({ "add": 1, "reason": "r".repeat(256) }), "reason"),
        (json!({ "add": 1, "reason": "" }), "reason"),
        (json!({ "add": 1, "reason": " \u{a0}\u{3000}" }), "reason"),
        (json!({ "add": 1, "reason": "\u{0}" }), "reason"),
        (json!({ "add": 1, "stock": 5 }), "stock"),
    ];
    for (body, field) in changes {
        let what = body.to_string();
        assert_names_field(&app.admin().post(&stock, body).await, field, &what);
    }
    assert_eq!(movements(&app, id).await.len(), 1);

    let path = format!("{CATEGORIES}/{}", category(&app, "Drinks").await);
    let names = [json!(""), json!("  "), json!("x".repeat(101)), json!("\u{0}"), json!(1), json!(null)];
    for name in names {
        let what = name.to_string();
        assert_names_field(&app.admin().post(CATEGORIES, json!({ "name": name })).await, "name", &what);
        assert_names_field(&app.admin().put(&path, json!({ "name": name })).await, "name", &what);
    }
    let unknown = json!({ "name": "x", "id": 1 });
    assert_names_field(&app.admin().post(CATEGORIES, unknown).await, "id", "unknown");
    let listed = app.anyone().get(CATEGORIES).await.expect(200);
    assert_eq!(listed["categories"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_bad_parameter_is_named() {
    let app = Shop::start().await;
    let long = format!("search={}", "x".repeat(201));
    let queries = [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=9223372036854775808", "page"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=4294967297", "limit"),
        ("category_id=0", "category_id"),
        ("category_id=abc", "category_id"),
        ("min_price=-1", "min_price"),
        ("max_price=1000000000001", "max_price"),
        ("min_price=1.5", "min_price"),
        ("sort_by=id", "sort_by"),
        ("sort_by=price;drop+table+products", "sort_by"),
        ("sort_by=", "sort_by"),
        ("order=up", "order"),
        ("order=ASC", "order"),
        ("colour=red", "colour"),
        (long.as_str(), "search"),
    ];
    for (query, field) in queries {
        assert_names_field(&app.anyone().get(&format!("{PRODUCTS}?{query}")).await, field, query);
    }
    app.anyone().get(&format!("{PRODUCTS}?search=a%00b")).await.problem(400, "malformed");
}

#[tokio::test]
async fn an_id_that_cannot_be_is_named() {
    let app = Shop::start().await;
    for id in ["0", "-1", "abc", "1.5", "9223372036854775808", "%00", "1%20"] {
        let product = format!("{PRODUCTS}/{id}");
        assert_names_field(&app.anyone().get(&product).await, "id", id);
        assert_names_field(&app.admin().put(&product, json!({})).await, "id", id);
        assert_names_field(&app.admin().delete(&product).await, "id", id);
        let stock = format!("{product}/stock");
        assert_names_field(&app.admin().post(&stock, json!({ "add": 1 })).await, "id", id);
        let category = format!("{CATEGORIES}/{id}");
        assert_names_field(&app.admin().put(&category, json!({ "name": "x" })).await, "id", id);
        assert_names_field(&app.admin().delete(&category).await, "id", id);
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let app = Shop::start().await;
    let id = product(&app, "Kopi", 3).await;
    let (one, stock) = (at(id), format!("{}/stock", at(id)));
    let category = format!("{CATEGORIES}/1");
    let routes = [
        (Method::POST, PRODUCTS),
        (Method::PUT, &one),
        (Method::POST, &stock),
        (Method::POST, CATEGORIES),
        (Method::PUT, &category),
    ];
    let json = [("content-type", "application/json")];
    for (method, path) in routes {
        let root = app.admin();
        for body in ["", "{", "[]", "null", "{} x", "\"name\"", "{\"name\":\"a\",\"name\":\"b\"}"] {
            assert_eq!(root.raw(method.clone(), path, &json, body).await.status(), 400, "{path}: {body}");
        }
        let text = [("content-type", "text/plain")];
        root.raw(method.clone(), path, &text, "{}").await.problem(415, "unsupported_media_type");
        root.raw(method.clone(), path, &[], "{}").await.problem(415, "unsupported_media_type");
        let big = format!("{{\"name\":\"{}\"}}", "x".repeat(2_000_000));
        root.raw(method, path, &json, big).await.problem(413, "too_large");
    }
    let reply = app.admin().send(Method::PATCH, &at(id), &[], None).await;
    reply.problem(405, "method_not_allowed");
    assert!(reply.header("allow").contains("PUT"));
    assert_eq!(movements(&app, id).await.len(), 1);
}
