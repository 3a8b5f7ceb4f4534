//! Every way an order can go, one after the other in the same shop.

use serde_json::json;

use crate::harness::Open;

#[tokio::test]
async fn orders_end_the_way_their_payment_and_their_delivery_do() {
    let open = Open::shop().await;
    a_paid_order_is_delivered_and_leaves_the_cart(&open).await;
    a_denied_card_can_be_followed_by_another(&open).await;
    an_expired_payment_returns_the_goods(&open).await;
    the_last_unit_is_sold_once(&open).await;
    a_customer_can_cancel_before_paying(&open).await;
    a_failed_delivery_is_refunded(&open).await;
    a_lost_notification_costs_seconds_and_a_forged_one_nothing(&open).await;
    open.close().await;
}

async fn a_paid_order_is_delivered_and_leaves_the_cart(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    buyer.add_to_cart(product, 2).await.unwrap();
    let placed = buyer.try_order().await.unwrap();
    assert_eq!(placed.status, 201, "{}", placed.text);
    let order = placed.body["order_id"].as_i64().unwrap();
    assert!(placed.header("location").ends_with(&format!("/order/{order}")), "{:?}", placed.headers);
    assert_eq!(placed.body["order"]["total_amount"], 40_000);

    let token = buyer.payment_token(order).await.unwrap();
    assert_eq!(open.admin.stock(product).await.unwrap(), 3);
    open.bank.pay(&token).await.unwrap();
    let paid = buyer.wait_for(order, &["PAID"]).await.unwrap();
    assert!(paid.get("payment_url").is_none_or(serde_json::Value::is_null), "{paid}");
    open.delivered(&buyer, order).await;

    open.admin.wait_for_stock(product, 3).await.unwrap();
    assert_eq!(buyer.cart().await.unwrap()["items"], json!([]));
    let stranger = open.customer().await;
    for path in [format!("/api/v1/order/{order}"), format!("/api/v1/payment/{order}")] {
        assert_eq!(open.api.get(&path, Some(&stranger.token)).await.unwrap().status, 404, "{path}");
    }
}

async fn a_denied_card_can_be_followed_by_another(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(1).await);
    let (order, token) = open.awaiting(&buyer, product).await;
    open.bank.act(&token, &json!({"payment_type": "credit_card", "outcome": "deny"})).await.unwrap();
    let path = format!("/api/v1/payment/{order}");
    let payment = open.api.get(&path, Some(&buyer.token)).await.unwrap().expect(200).unwrap();
    assert_eq!(payment["status"], "PENDING");
    open.bank.pay(&token).await.unwrap();
    buyer.wait_for(order, &["PAID"]).await.unwrap();
}

async fn an_expired_payment_returns_the_goods(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(3).await);
    let (order, token) = open.awaiting(&buyer, product).await;
    assert_eq!(open.admin.stock(product).await.unwrap(), 2);
    open.bank.act(&token, &json!({"payment_type": "bank_transfer", "outcome": "expire"})).await.unwrap();
    buyer.wait_for(order, &["FAILED"]).await.unwrap();
    open.admin.wait_for_stock(product, 3).await.unwrap();
}

async fn the_last_unit_is_sold_once(open: &Open) {
    let (first, second, product) = (open.customer().await, open.customer().await, open.product(1).await);
    first.add_to_cart(product, 1).await.unwrap();
    second.add_to_cart(product, 1).await.unwrap();
    let (one, two) = tokio::join!(first.order(), second.order());
    let (one, two) = (one.unwrap(), two.unwrap());
    let ends = ["AWAITING_PAYMENT", "FAILED"];
    let (one, two) = tokio::join!(first.wait_for(one, &ends), second.wait_for(two, &ends));
    let mut statuses = [one.unwrap()["status"].clone(), two.unwrap()["status"].clone()];
    statuses.sort_by_key(ToString::to_string);
    assert_eq!(statuses, ends.map(|status| json!(status)));
    assert_eq!(open.admin.stock(product).await.unwrap(), 0);
}

async fn a_customer_can_cancel_before_paying(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(4).await);
    let (order, _) = open.awaiting(&buyer, product).await;
    for _ in 0..2 {
        assert_eq!(buyer.cancel(order).await.unwrap()["status"], "CANCELLED");
    }
    open.admin.wait_for_stock(product, 4).await.unwrap();
}

async fn a_failed_delivery_is_refunded(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(2).await);
    let order = open.paid(&buyer, product).await;
    let delivery = open.shipped(&buyer, order).await;
    open.admin.set_delivery(delivery, "FAILED", None).await.unwrap();
    let refunded = buyer.wait_for(order, &["REFUNDED"]).await.unwrap();
    assert_eq!(refunded["refunded_amount"], 20_000);
    open.admin.wait_for_stock(product, 2).await.unwrap();
}

async fn a_lost_notification_costs_seconds_and_a_forged_one_nothing(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(2).await);
    let (forged, token) = open.awaiting(&buyer, product).await;
    let lie = json!({"payment_type": "bank_transfer", "outcome": "pending", "notify": {"forge": true}});
    open.bank.act(&token, &lie).await.unwrap();
    let (lost, token) = open.awaiting(&buyer, product).await;
    let silence = json!({"payment_type": "credit_card", "notify": {"drop": true}});
    open.bank.act(&token, &silence).await.unwrap();
    buyer.wait_for(lost, &["PAID"]).await.unwrap();
    assert_eq!(buyer.see_order(forged).await.unwrap()["status"], "AWAITING_PAYMENT");
}
