//! Methods that Midtrans finds by their transaction id only, and whose answers do not name the order.

use contracts::{events::PaymentSuccess, grpc::payment::CancelOutcome};
use serde_json::{Value, json};
use testkit::eventually;

use crate::shop::{PRICE, Shop};

fn methods() -> [Value; 5] {
    let account = |bank: &str| json!({ "payment_type": "bank_transfer", "bank": bank });
    [
        json!({ "payment_type": "dana" }),
        account("bsi"),
        account("danamon"),
        account("seabank"),
        account("saqu"),
    ]
}

fn with(mut method: Value, changes: Value) -> Value {
    for (field, value) in changes.as_object().unwrap() {
        method[field] = value.clone();
    }
    method
}

fn pending() -> Value {
    json!({ "payment_type": "dana", "outcome": "pending", "notify": {} })
}

#[tokio::test]
async fn they_pay_an_order() {
    let shop = Shop::start().await;
    for (id, method) in (41..).zip(methods()) {
        let token = shop.page(id).await;
        shop.pay(&token, with(method, json!({ "notify": {} }))).await;
        shop.handle_notifications(id - 40).await;
        assert_eq!(shop.status(id).await, "SUCCESS", "{id}");
    }
    assert_eq!(shop.app.published::<PaymentSuccess>().await.len(), methods().len());
}

#[tokio::test]
async fn the_first_notification_is_enough_to_find_the_settlement() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, pending()).await;
    shop.handle_notifications(1).await;
    assert_eq!(shop.status(41).await, "PENDING");
    shop.pay(&token, json!({})).await;
    shop.poll().await;
    assert_eq!(shop.status(41).await, "SUCCESS", "its notification was lost");
}

#[tokio::test]
async fn they_are_closed_by_a_cancel_and_at_their_end() {
    let shop = Shop::start().await;
    for id in [41, 42] {
        let token = shop.page(id).await;
        shop.pay(&token, pending()).await;
        // The cancel of the first order is notified as well.
        let notified = "select count(distinct midtrans_order_id) from notifications";
        eventually("its notification is stored", async || {
            (shop.count(notified).await == id - 40).then_some(())
        })
        .await;
        shop.handle_notifications(1).await;
        if id == 41 {
            assert_eq!(shop.cancel(id).await, CancelOutcome::Cancelled);
        } else {
            shop.run_out_of_time().await;
        }
        assert_eq!(shop.at_midtrans(&token).await["transaction_status"], "cancel", "{id}");
    }
    assert_eq!((shop.status(41).await.as_str(), shop.status(42).await.as_str()), ("CANCELLED", "FAILED"));
}

#[tokio::test]
async fn what_is_paid_after_the_end_goes_back() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, pending()).await;
    shop.handle_notifications(1).await;
    shop.pay(&token, json!({ "outcome": "expire", "notify": {} })).await;
    shop.handle_notifications(2).await;
    assert_eq!(shop.status(41).await, "FAILED");
    let settled = shop.control("POST", &format!("transactions/{token}/settle"), Value::Null).await;
    assert_eq!(settled["transaction_status"], "settlement");
    shop.handle_notifications(3).await;
    shop.make_refunds().await;
    assert_eq!(shop.status(41).await, "REFUNDED");
}

#[tokio::test]
async fn the_transaction_of_another_order_does_not_count() {
    let shop = Shop::start().await;
    shop.page(41).await;
    let paid = shop.page(42).await;
    let theirs = shop.pay(&paid, json!({ "payment_type": "dana", "notify": {} })).await;
    shop.handle_notifications(1).await;
    assert_eq!(shop.status(42).await, "SUCCESS");
    let named = "insert into notifications (midtrans_order_id, status_code, gross_amount, transaction_ids, transaction_status)
        select midtrans_order_id, '200', $2, array[$1], 'settlement' from payment_attempts where order_id = 41";
    let name = sqlx::query(named).bind(theirs["transaction_id"].as_str()).bind(format!("{PRICE}.00"));
    name.execute(shop.pool()).await.unwrap();
    shop.enqueue_notifications().await;
    shop.handle_notifications(2).await;
    assert_eq!(
        shop.status(41).await,
        "PENDING",
        "the same amount, and found by the same id, but it is theirs"
    );
    assert_eq!(shop.count("select count(*) from notifications where handled_at is null").await, 0);
}
