//! Deliveries, as the contract describes them.

use serde_json::{Value, json};
use stack::api::Reply;

use crate::harness::{Answer, Open};

pub async fn hold(open: &Open) {
    a_customer_follows_the_own_deliveries(open).await;
    a_list_is_filtered_and_paged(open).await;
    a_delivery_goes_only_forward(open).await;
    repeating_a_status_changes_and_publishes_nothing(open).await;
    a_failed_delivery_returns_goods_and_money(open).await;
}

async fn set(open: &Open, delivery: &Value, body: Value) -> Reply {
    open.ask(&open.admin.token, &format!("PUT /api/v1/delivery/{delivery}/status"), body).await
}

/// A delivery that has not left.
async fn pending(open: &Open) -> (stack::actors::Customer, i64, Value) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let order = open.paid(&buyer, product).await;
    let delivery = buyer.wait_for_delivery(order).await.unwrap();
    (buyer, order, delivery)
}

async fn a_customer_follows_the_own_deliveries(open: &Open) {
    let (buyer, order, delivery) = pending(open).await;
    assert_eq!((&delivery["order_id"], &delivery["user_id"]), (&json!(order), &json!(buyer.id)));
    assert_eq!(
        (&delivery["status"], &delivery["history"][0]["status"]),
        (&json!("PENDING"), &json!("PENDING"))
    );
    let line = format!("GET /api/v1/delivery/{}", delivery["id"]);
    assert_eq!(open.ask(&buyer.token, &line, Value::Null).await.is(200), delivery);
    assert_eq!(open.ask(&open.admin.token, &line, Value::Null).await.is(200), delivery);
    let stranger = open.customer().await;
    open.ask(&stranger.token, &line, Value::Null).await.refused(404, "not_found");
    assert_eq!(open.ask(&stranger.token, "GET /api/v1/delivery", Value::Null).await.is(200), json!([]));
    let theirs = format!("GET /api/v1/delivery?order_id={order}");
    assert_eq!(open.ask(&stranger.token, &theirs, Value::Null).await.is(200), json!([]));
    assert_eq!(open.ask(&open.admin.token, &theirs, Value::Null).await.is(200), json!([delivery]));
    open.ask(&buyer.token, "GET /api/v1/delivery/1000000000", Value::Null).await.refused(404, "not_found");
}

async fn a_list_is_filtered_and_paged(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    for _ in 0..2 {
        let order = open.paid(&buyer, product).await;
        buyer.wait_for_delivery(order).await.unwrap();
    }
    let list = async |query: &str| {
        open.ask(&buyer.token, &format!("GET /api/v1/delivery{query}"), Value::Null).await
    };
    let page = list("?limit=1&status=PENDING").await;
    assert_eq!(page.header("x-total-count"), "2");
    let link = page.header("link").to_owned();
    let next =
        link.strip_prefix("</api/v1/delivery").and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).unwrap();
    let newest = page.is(200)[0]["id"].as_i64().unwrap();
    let second = list(next).await;
    assert_eq!((second.header("x-total-count"), second.header("link")), ("2", ""));
    assert!(second.is(200)[0]["id"].as_i64().unwrap() < newest, "newest first");
    assert_eq!(list("?status=DELIVERED").await.is(200), json!([]));
    list("?status=LOST").await.invalid("status");
    list("?page=0").await.invalid("page");
    list("?limit=101").await.invalid("limit");
}

async fn a_delivery_goes_only_forward(open: &Open) {
    let (buyer, order, delivery) = pending(open).await;
    let id = &delivery["id"];
    set(open, id, json!({"status": "LOST"})).await.invalid("status");
    set(open, id, json!({"status": "CANCELLED"})).await.refused(409, "illegal_change");
    let body = json!({"status": "IN_TRANSIT", "tracking_number": "JX-1", "note": "handed over"});
    let moved = set(open, id, body).await.is(200);
    assert!(moved["message"].is_string());
    assert_eq!(moved["delivery"]["tracking_number"], "JX-1");
    assert_eq!(moved["delivery"]["history"][1]["note"], "handed over");
    buyer.wait_for(order, &["SHIPPED"]).await.unwrap();
    let problem = set(open, id, json!({"status": "PENDING"})).await.refused(409, "illegal_change");
    assert_eq!((&problem["from"], &problem["to"]), (&json!("IN_TRANSIT"), &json!("PENDING")));
    let arrived = set(open, id, json!({"status": "DELIVERED"})).await.is(200);
    assert_eq!(arrived["delivery"]["tracking_number"], "JX-1", "the known one stays");
    buyer.wait_for(order, &["DELIVERED"]).await.unwrap();
    for status in ["PENDING", "IN_TRANSIT", "FAILED", "CANCELLED"] {
        set(open, id, json!({"status": status})).await.refused(409, "illegal_change");
    }
    set(open, &json!(1_000_000_000), json!({"status": "DELIVERED"})).await.refused(404, "not_found");

    let (buyer, order, delivery) = pending(open).await;
    set(open, &delivery["id"], json!({"status": "DELIVERED"})).await.is(200);
    buyer.wait_for(order, &["DELIVERED"]).await.unwrap();
}

async fn repeating_a_status_changes_and_publishes_nothing(open: &Open) {
    let (buyer, order, delivery) = pending(open).await;
    let body = json!({"status": "IN_TRANSIT", "tracking_number": "JX-2"});
    let moved = set(open, &delivery["id"], body).await.is(200);
    buyer.wait_for(order, &["SHIPPED"]).await.unwrap();
    let timeline = format!("GET /api/v1/order/{order}/events");
    let before = open.ask(&buyer.token, &timeline, Value::Null).await.is(200);
    let again = json!({"status": "IN_TRANSIT", "tracking_number": "JX-2"});
    assert_eq!(set(open, &delivery["id"], again).await.is(200)["delivery"], moved["delivery"]);
    let more = json!({"status": "IN_TRANSIT", "tracking_number": "JX-3", "note": "again"});
    let kept = set(open, &delivery["id"], more).await.is(200)["delivery"].clone();
    assert_eq!((&kept["status"], &kept["tracking_number"]), (&json!("IN_TRANSIT"), &json!("JX-3")));
    assert_eq!(kept["history"][2]["note"], "again");
    set(open, &delivery["id"], json!({"status": "DELIVERED"})).await.is(200);
    buyer.wait_for(order, &["DELIVERED"]).await.unwrap();
    let after = open.ask(&buyer.token, &timeline, Value::Null).await.is(200);
    assert_eq!(after.as_array().unwrap().len(), before.as_array().unwrap().len() + 1, "{after}");
}

async fn a_failed_delivery_returns_goods_and_money(open: &Open) {
    let (buyer, order, delivery) = pending(open).await;
    let item = buyer.see_order(order).await.unwrap()["items"][0]["product_id"].as_i64().unwrap();
    assert_eq!(open.admin.stock(item).await.unwrap(), 4);
    set(open, &delivery["id"], json!({"status": "FAILED", "note": "nobody there"})).await.is(200);
    let refunded = buyer.wait_for(order, &["REFUNDED"]).await.unwrap();
    assert_eq!(refunded["refunded_amount"], 20_000);
    open.admin.wait_for_stock(item, 5).await.unwrap();
}
