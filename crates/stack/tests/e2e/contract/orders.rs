//! Looking at orders, and cancelling them.

use serde_json::{Value, json};
use stack::actors::Customer;
use stack::api::Reply;

use crate::harness::{Answer, Open};

pub async fn hold(open: &Open) {
    an_order_shows_how_it_can_be_paid_while_it_can(open).await;
    ones_orders_are_listed_newest_first(open).await;
    an_administrator_lists_everybodys(open).await;
    a_timeline_lists_what_happened(open).await;
    an_unpaid_order_is_cancelled_as_often_as_one_likes(open).await;
    a_paid_order_is_cancelled_by_an_administrator(open).await;
    an_order_that_left_or_failed_is_not_cancelled(open).await;
    goods_that_are_not_there_fail_the_order(open).await;
}

async fn see(open: &Open, token: &str, order: i64) -> Reply {
    open.ask(token, &format!("GET /api/v1/order/{order}"), Value::Null).await
}

async fn cancel(open: &Open, token: &str, order: i64, body: Value) -> Reply {
    open.ask(token, &format!("POST /api/v1/order/{order}/cancel"), body).await
}

async fn an_order_shows_how_it_can_be_paid_while_it_can(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let (order, token) = open.awaiting(&buyer, product).await;
    let seen = see(open, &buyer.token, order).await.is(200);
    assert!(seen["payment_url"].as_str().unwrap().contains(&token));
    assert!(seen["payment_expires"].as_str().unwrap().ends_with('Z'));
    assert_eq!(see(open, &open.admin.token, order).await.is(200), seen);
    see(open, &open.customer().await.token, order).await.refused(404, "not_found");
    open.bank.pay(&token).await.unwrap();
    buyer.wait_for(order, &["PAID"]).await.unwrap();
    let delivery = buyer.wait_for_delivery(order).await.unwrap();
    open.admin.set_delivery(delivery["id"].as_i64().unwrap(), "IN_TRANSIT", None).await.unwrap();
    let seen = buyer.wait_for(order, &["SHIPPED"]).await.unwrap();
    assert!(seen.get("payment_url").is_none_or(Value::is_null), "{seen}");
    assert_eq!(seen["delivery_id"], delivery["id"]);
}

async fn ones_orders_are_listed_newest_first(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let list =
        async |query: &str| open.ask(&buyer.token, &format!("GET /api/v1/order{query}"), Value::Null).await;
    assert_eq!(list("").await.is(200), json!([]));
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(open.awaiting(&buyer, product).await.0);
    }
    buyer.cancel(orders[0]).await.unwrap();
    let ids =
        |page: &Value| page.as_array().unwrap().iter().map(|o| o["id"].as_i64().unwrap()).collect::<Vec<_>>();
    let all = list("").await;
    assert_eq!((all.header("x-total-count"), all.header("link")), ("3", ""));
    assert_eq!(ids(&all.is(200)), [orders[2], orders[1], orders[0]]);

    let first = list("?limit=2").await;
    assert_eq!(first.header("x-total-count"), "3");
    let link = first.header("link").to_owned();
    let next =
        link.strip_prefix("</api/v1/order").and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).unwrap();
    let second = list(next).await;
    assert_eq!(second.header("link"), "");
    assert_eq!(ids(&second.is(200)), [orders[0]]);
    assert_eq!(ids(&list(&format!("?before={}", orders[1])).await.is(200)), [orders[0]]);
    assert_eq!(ids(&list("?status=CANCELLED").await.is(200)), [orders[0]]);
    list("?status=LOST").await.invalid("status");
    list("?limit=101").await.invalid("limit");
    list("?before=0").await.invalid("before");
}

async fn an_administrator_lists_everybodys(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let (one, _) = open.awaiting(&buyer, product).await;
    let (two, _) = open.awaiting(&buyer, product).await;
    let line = format!("GET /api/v1/order/all?user_id={}&limit=1&status=AWAITING_PAYMENT", buyer.id);
    let page = open.ask(&open.admin.token, &line, Value::Null).await;
    assert_eq!(page.header("x-total-count"), "2");
    let next = page.header("link").strip_prefix('<').unwrap().split('>').next().unwrap().to_owned();
    assert_eq!(page.is(200)[0]["id"], two);
    let page = open.ask(&open.admin.token, &format!("GET {next}"), Value::Null).await;
    assert_eq!(page.is(200)[0]["id"], one, "the link keeps what was asked for");
    open.ask(&buyer.token, "GET /api/v1/order/all", Value::Null).await.refused(403, "forbidden");
}

async fn a_timeline_lists_what_happened(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let order = open.paid(&buyer, product).await;
    open.delivered(&buyer, order).await;
    let line = format!("GET /api/v1/order/{order}/events");
    let events = open.ask(&buyer.token, &line, Value::Null).await.is(200);
    let states: Vec<&str> = events
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["from"] != event["to"])
        .map(|event| event["to"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["RECEIVED", "AWAITING_PAYMENT", "PAID", "SHIPPED", "DELIVERED"]);
    for event in events.as_array().unwrap() {
        assert!(event["at"].is_string() && event["cause"].is_string(), "{event}");
    }
    assert_eq!(open.ask(&open.admin.token, &line, Value::Null).await.is(200), events);
    open.ask(&open.customer().await.token, &line, Value::Null).await.refused(404, "not_found");
}

async fn an_unpaid_order_is_cancelled_as_often_as_one_likes(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(3).await);
    let (order, token) = open.awaiting(&buyer, product).await;
    cancel(open, &open.customer().await.token, order, Value::Null).await.refused(404, "not_found");
    for body in [json!({"reason": "changed my mind"}), json!({}), Value::Null] {
        assert_eq!(cancel(open, &buyer.token, order, body).await.is(200)["status"], "CANCELLED");
    }
    assert_eq!(cancel(open, &open.admin.token, order, Value::Null).await.is(200)["status"], "CANCELLED");
    open.admin.wait_for_stock(product, 3).await.unwrap();
    let pay = json!({"token": token, "payment_type": "bank_transfer"});
    let late = open.api.post("/midtrans/sandbox/pay", None, &pay).await.unwrap();
    assert!(late.status >= 400, "the payment page is closed too: {}", late.text);

    buyer.add_to_cart(product, 1).await.unwrap();
    let at_once = buyer.order().await.unwrap();
    assert_eq!(cancel(open, &buyer.token, at_once, Value::Null).await.is(200)["status"], "CANCELLED");
    open.admin.wait_for_stock(product, 3).await.unwrap();
}

async fn a_paid_order_is_cancelled_by_an_administrator(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(3).await);
    let order = open.paid(&buyer, product).await;
    cancel(open, &buyer.token, order, Value::Null).await.refused(409, "already_paid");
    let cancelled = cancel(open, &open.admin.token, order, json!({"reason": "out of stock after all"})).await;
    assert_eq!(cancelled.is(200)["status"], "CANCELLED");
    open.admin.wait_for_stock(product, 3).await.unwrap();
    refunded(open, &buyer, order).await;
    let line = format!("GET /api/v1/delivery?order_id={order}&status=PENDING");
    assert_eq!(open.ask(&buyer.token, &line, Value::Null).await.is(200), json!([]));
}

/// Waits until all of the money went back.
async fn refunded(open: &Open, buyer: &Customer, order: i64) {
    let payment = super::payments::wait_for(open, &buyer.token, order, "REFUNDED").await;
    assert_eq!(payment["refunded_amount"], payment["amount"]);
    assert_eq!(
        (&payment["refunds"][0]["cause"], &payment["refunds"][0]["state"]),
        (&json!("cancelled"), &json!("DONE"))
    );
}

async fn an_order_that_left_or_failed_is_not_cancelled(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(3).await);
    let order = open.paid(&buyer, product).await;
    let delivery = open.shipped(&buyer, order).await;
    for token in [&buyer.token, &open.admin.token] {
        let problem = cancel(open, token, order, Value::Null).await.refused(409, "already_shipped");
        assert_eq!(problem["order_status"], "SHIPPED");
    }
    open.admin.set_delivery(delivery, "DELIVERED", None).await.unwrap();
    buyer.wait_for(order, &["DELIVERED"]).await.unwrap();
    assert_eq!(cancel(open, &open.admin.token, order, Value::Null).await.status, 409);

    let (order, token) = open.awaiting(&buyer, product).await;
    let expiry = json!({"payment_type": "bank_transfer", "outcome": "expire"});
    open.bank.act(&token, &expiry).await.unwrap();
    let failed = buyer.wait_for(order, &["FAILED"]).await.unwrap();
    assert!(failed["failure_reason"].is_string(), "{failed}");
    cancel(open, &buyer.token, order, Value::Null).await.refused(409, "not_cancellable");
    cancel(open, &buyer.token, 1_000_000_000, Value::Null).await.refused(404, "not_found");
}

async fn goods_that_are_not_there_fail_the_order(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(1).await);
    buyer.add_to_cart(product, 2).await.unwrap();
    let order = buyer.order().await.unwrap();
    let failed = buyer.wait_for(order, &["FAILED"]).await.unwrap();
    assert!(failed["failure_reason"].is_string(), "{failed}");
    assert_eq!(open.admin.stock(product).await.unwrap(), 1);
    let payment = super::payments::wait_for(open, &buyer.token, order, "CANCELLED").await;
    assert!(payment.get("payment_url").is_none(), "{payment}");
}
