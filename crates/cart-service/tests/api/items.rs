//! `POST /cart/item`, `PUT` and `DELETE /cart/item/{product_id}`.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{TestApp, add, cart, content, shop};

const ITEM: &str = "/api/v1/cart/item";

#[tokio::test]
async fn adding_answers_with_the_cart() {
    let (app, _catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 1).await;
    let reply = ani.post(ITEM, json!({ "product_id": 2, "quantity": 2 })).await.expect(200);
    assert!(reply["message"].is_string());
    assert_eq!(content(&reply["cart"]), [(1, 1), (2, 2)]);
    assert_eq!(reply["cart"], cart(&ani).await);
}

#[tokio::test]
async fn fifty_at_once_make_fifty() {
    let (app, _catalogue) = shop().await;
    let ani = app.customer(7);
    join_all((0..50).map(|_| add(&ani, 1, 1))).await;
    assert_eq!(content(&cart(&ani).await), [(1, 50)]);
}

#[tokio::test]
async fn what_is_not_sold_cannot_be_added() {
    let (app, catalogue) = shop().await;
    let ani = app.customer(7);
    catalogue.removes(2);
    for id in [2_i64, 99, 4_294_967_297, i64::MAX] {
        ani.post(ITEM, json!({ "product_id": id, "quantity": 1 })).await.problem(404, "not_found");
    }
    assert_eq!(content(&cart(&ani).await), []);
}

#[tokio::test]
async fn a_line_holds_at_most_a_thousand_units() {
    let (app, _catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 999).await;
    let one_too_many = json!({ "product_id": 1, "quantity": 2 });
    ani.post(ITEM, one_too_many).await.problem(409, "limit_reached");
    assert_eq!(content(&add(&ani, 1, 1).await), [(1, 1000)]);
}

#[tokio::test]
async fn a_cart_holds_at_most_a_hundred_products() {
    let (app, catalogue) = shop().await;
    let ani = app.customer(7);
    for id in 1..=101 {
        catalogue.sells(id, "Something", 1_000, 10);
    }
    join_all((1..=100).map(|id| add(&ani, id, 1))).await;
    let one_too_many = json!({ "product_id": 101, "quantity": 1 });
    ani.post(ITEM, one_too_many).await.problem(409, "limit_reached");
    let full = add(&ani, 50, 1).await;
    assert_eq!(full["items"].as_array().unwrap().len(), 100, "more of what is there still fits");
    assert_eq!(full["total_qty"], 101);
}

#[tokio::test]
async fn the_quantity_of_a_line_is_set() {
    let (app, _catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 5).await;
    add(&ani, 2, 1).await;
    let reply = ani.put("/api/v1/cart/item/1", json!({ "quantity": 1000 })).await.expect(200);
    assert_eq!(content(&reply["cart"]), [(1, 1000), (2, 1)], "in its place");
    assert_eq!(reply["cart"]["items"][0]["available"], false);
    assert!(reply["message"].is_string());
    ani.put("/api/v1/cart/item/3", json!({ "quantity": 1 })).await.problem(404, "not_found");
    app.customer(8).put("/api/v1/cart/item/1", json!({ "quantity": 1 })).await.problem(404, "not_found");
    assert_eq!(content(&cart(&ani).await), [(1, 1000), (2, 1)]);
}

#[tokio::test]
async fn a_line_is_taken_out_and_comes_back_at_the_end() {
    let (app, _catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 5).await;
    add(&ani, 2, 1).await;
    assert!(ani.delete("/api/v1/cart/item/1").await.expect(200)["message"].is_string());
    ani.delete("/api/v1/cart/item/1").await.expect(200);
    app.customer(8).delete("/api/v1/cart/item/2").await.expect(200);
    assert_eq!(content(&cart(&ani).await), [(2, 1)]);
    assert_eq!(content(&add(&ani, 1, 1).await), [(2, 1), (1, 1)]);
}

#[tokio::test]
async fn names_of_any_kind_are_kept() {
    let (app, catalogue) = shop().await;
    let ani = app.customer(7);
    let name = "  Caf\u{e9} \u{1f9cb}\n12 34 % ' \" \\ | ";
    catalogue.sells(9, name, 1, 1);
    add(&ani, 9, 1).await;
    ani.put("/api/v1/cart/item/9", json!({ "quantity": 2 })).await.expect(200);
    catalogue.down(true);
    assert_eq!(cart(&ani).await["items"][0]["name"], name);
}

#[tokio::test]
async fn bad_input_is_named_and_has_no_effect() {
    let (app, catalogue) = shop().await;
    let ani = app.customer(7);
    let cases: [(Value, &str); 14] = [
        (json!({ "quantity": 1 }), "product_id"),
        (json!({ "product_id": 1 }), "quantity"),
        (json!({ "product_id": 0, "quantity": 1 }), "product_id"),
        (json!({ "product_id": -1, "quantity": 1 }), "product_id"),
        (json!({ "product_id": "1", "quantity": 1 }), "product_id"),
        (json!({ "product_id": 1.5, "quantity": 1 }), "product_id"),
        (json!({ "product_id": 9_223_372_036_854_775_808_u64, "quantity": 1 }), "product_id"),
        (json!({ "product_id": 1, "quantity": 0 }), "quantity"),
        (json!({ "product_id": 1, "quantity": -1 }), "quantity"),
        (json!({ "product_id": 1, "quantity": 1001 }), "quantity"),
        (json!({ "product_id": 1, "quantity": 4_294_967_297_i64 }), "quantity"),
        (json!({ "product_id": 1, "quantity": null }), "quantity"),
        (json!({ "product_id": 1, "quantity": "\u{1f9cb}" }), "quantity"),
        (json!({ "product_id": 1, "quantity": 1, "price": 1 }), "price"),
    ];
    for (body, field) in cases {
        let problem = ani.post(ITEM, body.clone()).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    assert_eq!(content(&cart(&ani).await), []);
    assert_eq!(catalogue.calls(), 0, "nobody was bothered");
}

#[tokio::test]
async fn bad_quantities_and_ids_are_named() {
    let (app, _catalogue) = shop().await;
    let ani = app.customer(7);
    add(&ani, 1, 1).await;
    for quantity in [json!(0), json!(1001), json!(-1), json!("2"), json!(4_294_967_298_i64), Value::Null] {
        let problem =
            ani.put("/api/v1/cart/item/1", json!({ "quantity": quantity })).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], "quantity", "{quantity}");
    }
    for id in ["0", "-1", "x", "1.5", "9223372036854775808"] {
        let path = format!("{ITEM}/{id}");
        for reply in [ani.put(&path, json!({ "quantity": 1 })).await, ani.delete(&path).await] {
            assert_eq!(reply.problem(400, "invalid")["errors"][0]["field"], "product_id", "{id}");
        }
    }
    assert_eq!(content(&cart(&ani).await), [(1, 1)]);
}

#[tokio::test]
async fn what_is_not_json_is_refused() {
    let (app, _catalogue) = shop().await;
    let ani = app.customer(7);
    let json = [("content-type", "application/json")];
    ani.raw(Method::POST, ITEM, &json, "{\"product_id\":1,").await.problem(400, "malformed");
    ani.raw(Method::POST, ITEM, &json, "").await.problem(400, "malformed");
    ani.raw(Method::POST, ITEM, &[], "{}").await.problem(415, "unsupported_media_type");
    ani.raw(Method::POST, ITEM, &json, vec![b' '; 70_000]).await.problem(413, "too_large");
    assert_eq!(content(&cart(&ani).await), []);
}

#[tokio::test]
async fn a_cart_is_changed_so_often_and_then_waits() {
    let (_, catalogue) = shop().await;
    let url = format!("--product-grpc-url={}", catalogue.serve().await);
    let app = TestApp::with_flags(&[&url, "--cart-write-burst=3", "--cart-writes-per-second=1"]).await;
    let ani = app.customer(7);
    add(&ani, 1, 1).await;
    ani.put("/api/v1/cart/item/1", json!({ "quantity": 2 })).await.expect(200);
    ani.delete("/api/v1/cart/item/2").await.expect(200);
    for refused in [
        ani.post(ITEM, json!({ "product_id": 1, "quantity": 1 })).await,
        ani.put("/api/v1/cart/item/1", json!({ "quantity": 5 })).await,
        ani.delete("/api/v1/cart/item/1").await,
        ani.delete("/api/v1/cart").await,
    ] {
        refused.problem(429, "too_many_requests");
        assert_eq!(refused.header("retry-after"), "1");
    }
    assert_eq!(content(&cart(&ani).await), [(1, 2)], "looking is free");
    add(&app.customer(8), 1, 1).await;
    app.anyone().delete("/api/v1/cart").await.problem(401, "unauthorized");

    let app = TestApp::with_flags(&[&url, "--cart-write-burst=1", "--rate-limit=off"]).await;
    let ani = app.customer(7);
    for _ in 0..20 {
        add(&ani, 1, 1).await;
    }
}
