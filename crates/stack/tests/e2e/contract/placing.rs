//! Placing an order: what is in it, what stands in its way, and how it is placed once.

use futures::future::join_all;
use serde_json::{Value, json};
use stack::actors::Customer;
use stack::api::Reply;

use super::cart;
use crate::harness::{Answer, Open};

pub async fn hold(open: &Open) {
    a_whole_cart_becomes_an_order(open).await;
    some_products_of_a_cart_become_an_order(open).await;
    an_address_goes_along_to_the_delivery(open).await;
    an_empty_cart_is_no_order(open).await;
    what_is_not_on_sale_is_not_ordered(open).await;
    nobody_pays_another_price_than_expected(open).await;
    an_order_has_a_largest_total(open).await;
    a_repeated_request_is_one_order(open).await;
    concurrent_duplicates_are_one_order(open).await;
    a_key_belongs_to_one_request_of_one_customer(open).await;
    a_customer_has_twenty_open_orders(open).await;
}

const BOTH: [&str; 2] = ["POST /api/v1/order", "POST /api/v1/checkout"];

async fn place(open: &Open, buyer: &Customer, line: &str, key: &str, body: Value) -> Reply {
    let headers = [("idempotency-key", key)];
    open.ask_with(&buyer.token, line, if key.is_empty() { &[] } else { &headers }, body).await
}

async fn orders_of(open: &Open, buyer: &Customer) -> usize {
    let orders = open.ask(&buyer.token, "GET /api/v1/order?limit=100", Value::Null).await.is(200);
    orders.as_array().unwrap().len()
}

async fn a_whole_cart_becomes_an_order(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    for line in BOTH {
        open.ask(&buyer.token, "DELETE /api/v1/cart", Value::Null).await.is(200);
        cart::add(open, &buyer.token, product, 2).await.is(200);
        let reply = place(open, &buyer, line, "", Value::Null).await;
        let location = reply.header("location").to_owned();
        let receipt = reply.is(201);
        assert_eq!(receipt["message"], "Order received");
        let (id, order) = (&receipt["order_id"], &receipt["order"]);
        assert_eq!(location, format!("/api/v1/order/{id}"));
        assert_eq!((&order["id"], &order["user_id"]), (id, &json!(buyer.id)));
        assert_eq!((&order["status"], &order["total_amount"]), (&json!("RECEIVED"), &json!(40_000)));
        let item = &order["items"][0];
        assert!(item["id"].is_i64() && item["name"].is_string(), "{item}");
        assert_eq!((&item["order_id"], &item["product_id"]), (id, &json!(product)));
        assert_eq!((&item["price"], &item["quantity"]), (&json!(20_000), &json!(2)));
        assert_eq!(cart::see(open, &buyer.token).await["total_qty"], 2, "it is emptied when paid");
    }
}

async fn some_products_of_a_cart_become_an_order(open: &Open) {
    let (buyer, one, two) = (open.customer().await, open.product(5).await, open.product(5).await);
    for line in BOTH {
        cart::add(open, &buyer.token, one, 1).await.is(200);
        cart::add(open, &buyer.token, two, 1).await.is(200);
        let receipt = place(open, &buyer, line, "", json!({"product_ids": [two]})).await.is(201);
        let items = receipt["order"]["items"].as_array().unwrap();
        assert_eq!((items.len(), &items[0]["product_id"]), (1, &json!(two)));
        let problem = place(open, &buyer, line, "", json!({"product_ids": [one, 1_000_000_000]})).await;
        assert_eq!(problem.refused(422, "not_in_cart")["product_ids"], json!([1_000_000_000]));
        let nothing = json!({"product_ids": []});
        place(open, &buyer, line, "", nothing).await.invalid("product_ids");
        let twice = json!({"product_ids": [one, one]});
        place(open, &buyer, line, "", twice).await.invalid("product_ids");
    }
}

async fn an_address_goes_along_to_the_delivery(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    cart::add(open, &buyer.token, product, 1).await.is(200);
    let address = super::addresses::address();
    let body = json!({"shipping_address": address});
    let order = place(open, &buyer, BOTH[0], "", body).await.is(201)["order"].clone();
    assert_eq!(order["shipping_address"], address);
    let id = order["id"].as_i64().unwrap();
    open.bank.pay(&buyer.payment_token(id).await.unwrap()).await.unwrap();
    assert_eq!(buyer.wait_for_delivery(id).await.unwrap()["shipping_address"], address);
}

async fn an_empty_cart_is_no_order(open: &Open) {
    let buyer = open.customer().await;
    for line in BOTH {
        for body in [Value::Null, json!({}), json!({"expected_total": 1})] {
            place(open, &buyer, line, "", body).await.refused(422, "empty_cart");
        }
    }
}

async fn what_is_not_on_sale_is_not_ordered(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    cart::add(open, &buyer.token, product, 1).await.is(200);
    open.admin.remove_product(product).await.unwrap();
    for line in BOTH {
        let problem = place(open, &buyer, line, "", json!({})).await.refused(409, "product_unavailable");
        assert_eq!(problem["product_ids"], json!([product]));
    }
    assert_eq!(orders_of(open, &buyer).await, 0);
}

async fn nobody_pays_another_price_than_expected(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    cart::add(open, &buyer.token, product, 2).await.is(200);
    let expected = json!({"expected_total": 40_000});
    place(open, &buyer, BOTH[0], "", expected.clone()).await.is(201);
    let line = format!("PUT /api/v1/products/{product}");
    open.ask(&open.admin.token, &line, json!({"price": 25_000})).await.is(200);
    for line in BOTH {
        let problem = place(open, &buyer, line, "", expected.clone()).await.refused(409, "price_changed");
        assert_eq!((&problem["expected_total"], &problem["total_amount"]), (&json!(40_000), &json!(50_000)));
    }
    assert_eq!(orders_of(open, &buyer).await, 1);
}

async fn an_order_has_a_largest_total(open: &Open) {
    let buyer = open.customer().await;
    for _ in 0..10 {
        let expensive = open.admin.add_product(1_000_000_000_000, 0).await.unwrap();
        cart::add(open, &buyer.token, expensive, 1000).await.is(200);
    }
    for line in BOTH {
        place(open, &buyer, line, "", json!({})).await.refused(422, "total_too_large");
    }
}

async fn a_repeated_request_is_one_order(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    cart::add(open, &buyer.token, product, 1).await.is(200);
    let first = place(open, &buyer, BOTH[0], "my-key", Value::Null).await;
    assert_eq!(first.header("idempotency-replayed"), "");
    cart::add(open, &buyer.token, product, 1).await.is(200);
    // No body and an empty one are the same, and so are the two paths.
    for (line, body) in [(BOTH[0], Value::Null), (BOTH[0], json!({})), (BOTH[1], json!({}))] {
        let again = place(open, &buyer, line, "my-key", body).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.header("location"), first.header("location"));
        assert_eq!(again.is(201), first.body);
    }
    assert_eq!(orders_of(open, &buyer).await, 1);
    place(open, &buyer, BOTH[0], "", Value::Null).await.is(201);
    place(open, &buyer, BOTH[0], "", Value::Null).await.is(201);
    assert_eq!(orders_of(open, &buyer).await, 3, "without a key two requests are two orders");
}

async fn concurrent_duplicates_are_one_order(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    cart::add(open, &buyer.token, product, 1).await.is(200);
    let duplicates =
        join_all((0..10).map(|n| place(open, &buyer, BOTH[n % 2], "duplicates", json!({})))).await;
    assert_eq!(duplicates.iter().filter(|reply| reply.header("idempotency-replayed").is_empty()).count(), 1);
    let bodies: Vec<Value> = duplicates.into_iter().map(|reply| reply.is(201)).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(orders_of(open, &buyer).await, 1);
}

async fn a_key_belongs_to_one_request_of_one_customer(open: &Open) {
    let (buyer, other, product) = (open.customer().await, open.customer().await, open.product(5).await);
    for customer in [&buyer, &other] {
        cart::add(open, &customer.token, product, 1).await.is(200);
    }
    // A refusal is not kept.
    place(open, &buyer, BOTH[0], "key", json!({"expected_total": 1})).await.refused(409, "price_changed");
    let first = place(open, &buyer, BOTH[0], "key", json!({})).await.is(201);
    for line in BOTH {
        let body = json!({"product_ids": [product]});
        place(open, &buyer, line, "key", body).await.refused(422, "idempotency_key_reused");
    }
    assert_ne!(place(open, &other, BOTH[0], "key", json!({})).await.is(201)["order_id"], first["order_id"]);
    for wrong in ["with a space", "naïve", &"x".repeat(256)] {
        place(open, &buyer, BOTH[1], wrong, json!({})).await.invalid("Idempotency-Key");
    }
    place(open, &buyer, BOTH[0], &"x".repeat(255), json!({})).await.is(201);
}

async fn a_customer_has_twenty_open_orders(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(30).await);
    cart::add(open, &buyer.token, product, 1).await.is(200);
    for _ in 0..20 {
        place(open, &buyer, BOTH[0], "", json!({})).await.is(201);
    }
    for line in BOTH {
        place(open, &buyer, line, "", json!({})).await.refused(409, "too_many_open_orders");
    }
    let newest = open.ask(&buyer.token, "GET /api/v1/order?limit=1", Value::Null).await.is(200);
    buyer.cancel(newest[0]["id"].as_i64().unwrap()).await.unwrap();
    place(open, &buyer, BOTH[1], "", json!({})).await.is(201);
}
