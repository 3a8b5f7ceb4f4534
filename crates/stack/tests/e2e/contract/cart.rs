//! The cart, as the contract describes it.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Answer, Open};

pub async fn hold(open: &Open) {
    a_cart_shows_todays_prices_in_the_order_added(open).await;
    fifty_times_one_at_once_makes_fifty(open).await;
    a_quantity_is_set_for_what_is_in_the_cart(open).await;
    lines_and_carts_are_removed_as_often_as_one_likes(open).await;
    a_cart_says_what_changed_since(open).await;
    a_cart_has_limits(open).await;
}

pub async fn add(open: &Open, token: &str, product: i64, quantity: i64) -> stack::api::Reply {
    let body = json!({"product_id": product, "quantity": quantity});
    open.ask(token, "POST /api/v1/cart/item", body).await
}

pub async fn see(open: &Open, token: &str) -> Value {
    open.ask(token, "GET /api/v1/cart", Value::Null).await.is(200)
}

async fn a_cart_shows_todays_prices_in_the_order_added(open: &Open) {
    let buyer = open.customer().await;
    let empty = json!({"user_id": buyer.id, "items": [], "total_qty": 0, "total_amt": 0});
    assert_eq!(see(open, &buyer.token).await, empty);
    let (first, second) = (open.product(5).await, open.admin.add_product(500, 5).await.unwrap());
    add(open, &buyer.token, second, 1).await.is(200);
    let answered = add(open, &buyer.token, first, 2).await.is(200);
    assert!(answered["message"].is_string());
    add(open, &buyer.token, second, 3).await.is(200);
    let cart = see(open, &buyer.token).await;
    assert_eq!((&cart["total_qty"], &cart["total_amt"]), (&json!(6), &json!(42_000)));
    let line = |product: i64, price: i64, quantity: i64, name: &Value| {
        json!({"product_id": product, "name": name, "price": price, "quantity": quantity,
               "subtotal": price * quantity, "available": true, "price_changed": false})
    };
    let names: Vec<Value> =
        cart["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect();
    let expected = json!([line(second, 500, 4, &names[0]), line(first, 20_000, 2, &names[1])]);
    assert_eq!(cart["items"], expected);
    add(open, &buyer.token, 1_000_000_000, 1).await.refused(404, "not_found");
    open.admin.remove_product(first).await.unwrap();
    add(open, &buyer.token, first, 1).await.refused(404, "not_found");
}

async fn fifty_times_one_at_once_makes_fifty(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    for reply in join_all((0..50).map(|_| add(open, &buyer.token, product, 1))).await {
        reply.is(200);
    }
    assert_eq!(see(open, &buyer.token).await["items"][0]["quantity"], 50);
}

async fn a_quantity_is_set_for_what_is_in_the_cart(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let line = format!("PUT /api/v1/cart/item/{product}");
    open.ask(&buyer.token, &line, json!({"quantity": 3})).await.refused(404, "not_found");
    add(open, &buyer.token, product, 1).await.is(200);
    let answered = open.ask(&buyer.token, &line, json!({"quantity": 3})).await.is(200);
    assert_eq!(answered["cart"], see(open, &buyer.token).await);
    assert_eq!(answered["cart"]["total_qty"], 3);
    open.ask(&buyer.token, &line, json!({"quantity": 0})).await.invalid("quantity");
    assert_eq!(see(open, &buyer.token).await["total_qty"], 3);
}

async fn lines_and_carts_are_removed_as_often_as_one_likes(open: &Open) {
    let (buyer, product, other) = (open.customer().await, open.product(5).await, open.product(5).await);
    add(open, &buyer.token, product, 1).await.is(200);
    add(open, &buyer.token, other, 1).await.is(200);
    for _ in 0..2 {
        let done = open.ask(&buyer.token, &format!("DELETE /api/v1/cart/item/{product}"), Value::Null).await;
        assert!(done.is(200)["message"].is_string());
        assert_eq!(see(open, &buyer.token).await["items"][0]["product_id"], other);
    }
    for _ in 0..2 {
        assert!(
            open.ask(&buyer.token, "DELETE /api/v1/cart", Value::Null).await.is(200)["message"].is_string()
        );
        assert_eq!(see(open, &buyer.token).await["items"], json!([]));
    }
}

async fn a_cart_says_what_changed_since(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(2).await);
    add(open, &buyer.token, product, 2).await.is(200);
    let line = format!("PUT /api/v1/products/{product}");
    open.ask(&open.admin.token, &line, json!({"price": 30_000, "stock": 1})).await.is(200);
    let item = see(open, &buyer.token).await["items"][0].clone();
    assert_eq!((&item["price"], &item["subtotal"]), (&json!(30_000), &json!(60_000)));
    assert_eq!((&item["price_changed"], &item["available"]), (&json!(true), &json!(false)));
    open.ask(&open.admin.token, &line, json!({"price": 20_000, "stock": 2})).await.is(200);
    let item = see(open, &buyer.token).await["items"][0].clone();
    assert_eq!((&item["price_changed"], &item["available"]), (&json!(false), &json!(true)));
    open.admin.remove_product(product).await.unwrap();
    assert_eq!(see(open, &buyer.token).await["items"][0]["available"], false);
}

async fn a_cart_has_limits(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    add(open, &buyer.token, product, 1000).await.is(200);
    add(open, &buyer.token, product, 1).await.refused(409, "limit_reached");
    assert_eq!(see(open, &buyer.token).await["total_qty"], 1000);
    for product in join_all((0..99).map(|_| open.product(1))).await {
        add(open, &buyer.token, product, 1).await.is(200);
    }
    let one_more = open.product(1).await;
    add(open, &buyer.token, one_more, 1).await.refused(409, "limit_reached");
    assert_eq!(see(open, &buyer.token).await["items"].as_array().unwrap().len(), 100);
}
