//! What no client should send: always a problem that names the member, and never an effect.

use contracts::events::{OrderCancelled, OrderCreated};
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{ANI, Shop};

const ORDER: &str = "/api/v1/order";
const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

fn field(problem: &Value) -> &str {
    problem["errors"][0]["field"].as_str().unwrap_or_default()
}

fn address_with(member: &str, value: &Value) -> Value {
    let mut address = json!({
        "recipient": "Ani", "phone": "+62 811", "street": "Jl. Mawar 1", "city": "Bandung", "province": "Jawa Barat",
        "postal_code": "40111", "country": "ID"
    });
    address[member] = value.clone();
    json!({ "shipping_address": address })
}

#[tokio::test]
async fn a_bad_request_names_its_member_and_orders_nothing() {
    let shop = Shop::open().await;
    let ani = shop.app.customer(ANI);
    let requests = [
        (json!({ "product_ids": [] }), "product_ids"),
        (json!({ "product_ids": [3, 3] }), "product_ids"),
        (json!({ "product_ids": 3 }), "product_ids"),
        (json!({ "product_ids": [0] }), "product_ids[0]"),
        (json!({ "product_ids": [3, -4] }), "product_ids[1]"),
        (json!({ "product_ids": ["3"] }), "product_ids[0]"),
        (json!({ "product_ids": [3.5] }), "product_ids[0]"),
        (json!({ "product_ids": [9_223_372_036_854_775_808_u64] }), "product_ids[0]"),
        (json!({ "product_ids": (1..=101).collect::<Vec<i64>>() }), "product_ids"),
        (json!({ "expected_total": 0 }), "expected_total"),
        (json!({ "expected_total": -1 }), "expected_total"),
        (json!({ "expected_total": "250000" }), "expected_total"),
        (json!({ "expected_total": 9_000_000_000_000_001_i64 }), "expected_total"),
        (json!({ "expected_total": 9_223_372_036_854_775_808_u64 }), "expected_total"),
        (json!({ "user_id": 8 }), "user_id"),
        (json!({ "shipping_address": {} }), "shipping_address.recipient"),
        (json!({ "shipping_address": "here" }), "shipping_address"),
    ];
    for (request, member) in requests {
        let problem = ani.post(ORDER, request.clone()).await.problem(400, "invalid");
        assert!(field(&problem).starts_with(member.split('.').next().unwrap()), "{request}: {problem}");
    }
    let members = ["recipient", "phone", "street", "city", "province", "postal_code", "country"];
    for member in members {
        for value in
            [json!(""), json!(" \u{3000}"), json!("x".repeat(201)), json!("a\u{0}b"), json!(7), json!(["x"])]
        {
            let problem =
                ani.post("/api/v1/checkout", address_with(member, &value)).await.problem(400, "invalid");
            assert_eq!(field(&problem), format!("shipping_address.{member}"), "{value}");
        }
    }
    for country in ["ZZ", "XX", "id", "IDN", "I", "\u{1f1ee}\u{1f1e9}"] {
        let problem = ani.post(ORDER, address_with("country", &json!(country))).await.problem(400, "invalid");
        assert_eq!(field(&problem), "shipping_address.country", "{country}");
    }
    let problem = ani.post(ORDER, address_with("planet", &json!("Earth"))).await.problem(400, "invalid");
    assert_eq!(field(&problem), "shipping_address.planet");
    assert!(shop.app.published::<OrderCreated>().await.is_empty());
    let emoji = address_with("recipient", &json!("\u{1f600}".repeat(200)));
    ani.post(ORDER, emoji).await.expect(201);
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let shop = Shop::open().await;
    let ani = shop.app.customer(ANI);
    let id = shop.place().await;
    for path in [ORDER.to_owned(), format!("{ORDER}/{id}/cancel")] {
        for broken in ["{", "[]", "null", "\"x\"", "{} {}", "{\"a\":"] {
            assert_eq!(ani.raw(Method::POST, &path, &JSON, broken).await.status(), 400, "{path}: {broken}");
        }
        let form = [("content-type", "application/x-www-form-urlencoded")];
        ani.raw(Method::POST, &path, &form, "a=b").await.problem(415, "unsupported_media_type");
        ani.raw(Method::POST, &path, &[], "{}").await.problem(415, "unsupported_media_type");
        let large = format!("{{\"reason\":\"{}\"}}", "x".repeat(70_000));
        ani.raw(Method::POST, &path, &JSON, large).await.problem(413, "too_large");
        let put = ani.send(Method::PUT, &path, &[], None).await;
        put.problem(405, "method_not_allowed");
        assert!(put.header("allow").contains("POST"));
    }
    assert_eq!(shop.app.published::<OrderCreated>().await.len(), 1);
    assert!(shop.app.published::<OrderCancelled>().await.is_empty());
}

#[tokio::test]
async fn a_bad_reason_cancels_nothing() {
    let shop = Shop::open().await;
    let id = shop.place().await;
    let path = format!("{ORDER}/{id}/cancel");
    let bodies = [
        (json!({ "reason": "" }), "reason"),
        (json!({ "reason": " \n" }), "reason"),
        (json!({ "reason": "x".repeat(256) }), "reason"),
        (json!({ "reason": "a\u{0}b" }), "reason"),
        (json!({ "reason": 7 }), "reason"),
        (json!({ "status": "CANCELLED" }), "status"),
    ];
    for (body, member) in bodies {
        assert_eq!(field(&shop.app.customer(ANI).post(&path, body).await.problem(400, "invalid")), member);
    }
    assert_eq!(shop.status(id).await, "RECEIVED");
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let shop = Shop::open().await;
    let root = shop.app.admin();
    for (query, member) in [
        ("status=SHIPPING", "status"),
        ("status=received", "status"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=4294967297", "limit"),
        ("before=0", "before"),
        ("before=-1", "before"),
        ("before=9223372036854775808", "before"),
        ("page=1", "page"),
    ] {
        for path in [ORDER, "/api/v1/order/all"] {
            let problem = root.get(&format!("{path}?{query}")).await.problem(400, "invalid");
            assert_eq!(field(&problem), member, "{path}?{query}");
        }
    }
    assert_eq!(field(&root.get("/api/v1/order?user_id=7").await.problem(400, "invalid")), "user_id");
    for user in ["0", "x", "%27%3B--", "9223372036854775808"] {
        let problem = root.get(&format!("/api/v1/order/all?user_id={user}")).await.problem(400, "invalid");
        assert_eq!(field(&problem), "user_id");
    }
    root.get("/api/v1/order?status=%00").await.problem(400, "malformed");
}

#[tokio::test]
async fn an_id_that_is_none_is_refused() {
    let shop = Shop::open().await;
    let root = shop.app.admin();
    for id in ["0", "-1", "x", "1.5", "9223372036854775808", "%00", "1%20or%201=1"] {
        for (method, path) in [(Method::GET, ""), (Method::GET, "/events"), (Method::POST, "/cancel")] {
            let reply = root.send(method, &format!("{ORDER}/{id}{path}"), &[], None).await;
            assert_eq!(field(&reply.problem(400, "invalid")), "id", "{id}{path}");
        }
    }
}
