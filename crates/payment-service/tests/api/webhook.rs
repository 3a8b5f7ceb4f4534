//! POST /payment/webhook: what Midtrans, and whoever pretends to be it, sends.

use contracts::events::PaymentSuccess;
use midtrans::signature_key;
use payment_service::app::{HandleNotification, maintenance};
use serde_json::{Value, json};

use crate::shop::{PRICE, Shop};

const PATH: &str = "/api/v1/payment/webhook";

/// A notification that is signed with our key.
fn signed(order_id: &str, changes: Value) -> Value {
    let signature = signature_key(order_id, "200", "150000.00", &"SB-Mid-server-local".into());
    let mut body = json!({
        "transaction_time": "2030-01-02 10:00:00", "transaction_status": "settlement", "transaction_id": "t-1",
        "status_message": "midtrans payment notification", "status_code": "200", "signature_key": signature,
        "payment_type": "gopay", "order_id": order_id, "merchant_id": "G1", "gross_amount": "150000.00",
        "fraud_status": "accept", "currency": "IDR", "a_member_of_tomorrow": { "is": ["fine"] },
    });
    for (member, value) in changes.as_object().unwrap() {
        body[member] = value.clone();
    }
    body
}

async fn midtrans_id(shop: &Shop) -> String {
    sqlx::query_scalar("select midtrans_order_id from payment_attempts").fetch_one(shop.pool()).await.unwrap()
}

#[tokio::test]
async fn a_notification_leads_to_a_paid_order_once() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({ "payment_type": "qris", "notify": { "times": 3 } })).await;
    shop.handle_notifications(1).await;
    shop.handle_notifications(1).await;
    assert_eq!(shop.history(41).await, ["PENDING", "SUCCESS"]);
    let paid = shop.app.published::<PaymentSuccess>().await;
    assert_eq!(paid.len(), 1);
    assert_eq!((paid[0].amount, paid[0].payment_type.as_str()), (PRICE, "qris"));
    let payment = shop.payment(41).await;
    assert_eq!((&payment["status"], &payment["payment_type"]), (&json!("SUCCESS"), &json!("qris")));
    assert!(payment["paid_at"].is_string() && payment.get("payment_url").is_none());
}

#[tokio::test]
async fn what_is_not_signed_by_midtrans_changes_nothing() {
    let shop = Shop::start().await;
    shop.page(41).await;
    let id = midtrans_id(&shop).await;
    let anyone = shop.app.anyone();
    for changes in [
        json!({ "signature_key": "0".repeat(128) }),
        json!({ "gross_amount": "150000" }),
        json!({ "status_code": "201" }),
        json!({ "order_id": "local-41-1-another" }),
    ] {
        anyone.post(PATH, signed(&id, changes)).await.problem(403, "wrong_signature");
    }
    let token = shop.page(42).await;
    shop.pay(&token, json!({ "outcome": "pending", "payment_type": "gopay", "notify": { "forge": true } }))
        .await;
    assert_eq!(shop.count("select count(*) from notifications").await, 0);
}

#[tokio::test]
async fn a_true_signature_on_false_content_is_not_believed() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    let waiting = shop.pay(&token, json!({ "payment_type": "gopay", "outcome": "pending" })).await;
    let id = midtrans_id(&shop).await;
    // The status is not signed: somebody changed it in a notification that was seen on its way.
    let transaction = &waiting["transaction_id"];
    shop.app.anyone().post(PATH, signed(&id, json!({ "transaction_id": transaction }))).await.expect(200);
    shop.handle_notifications(1).await;
    assert_eq!(shop.status(41).await, "PENDING");
    assert_eq!(shop.app.published::<PaymentSuccess>().await, []);
}

#[tokio::test]
async fn the_transaction_of_another_order_does_not_count() {
    let shop = Shop::start().await;
    shop.page(41).await;
    let id = midtrans_id(&shop).await;
    let other = shop.page(42).await;
    let paid = shop.pay(&other, json!({ "payment_type": "gopay" })).await;
    let changes = json!({ "transaction_id": paid["transaction_id"] });
    shop.app.anyone().post(PATH, signed(&id, changes)).await.expect(200);
    shop.handle_notifications(1).await;
    assert_eq!((shop.status(41).await, shop.status(42).await), ("PENDING".to_owned(), "PENDING".to_owned()));
}

#[tokio::test]
async fn what_is_not_ours_is_taken_and_passed_over() {
    let shop = Shop::start().await;
    let test_message = "payment_notif_test_G706699487_6f3bb2f4-14f5-4f3a-9dd6-9a8f4a7b7d44";
    let anyone = shop.app.anyone();
    for path in [PATH, "/api/v1/webhook"] {
        assert_eq!(
            anyone.post(path, signed(test_message, json!({}))).await.expect(200),
            json!({ "status": "ok" })
        );
    }
    anyone.post(PATH, signed("production-41-1-x", json!({}))).await.expect(200);
    shop.handle_notifications(2).await;
    assert_eq!(shop.count("select count(*) from notifications where handled_at is null").await, 0);
    assert_eq!(shop.count("select count(*) from payments").await, 0);
}

#[tokio::test]
async fn a_malformed_body_is_named_and_kept_out() {
    let shop = Shop::start().await;
    let anyone = shop.app.anyone();
    for (changes, field) in [
        (json!({ "gross_amount": 150_000 }), "gross_amount"),
        (json!({ "status_code": 200 }), "status_code"),
        (json!({ "order_id": "" }), "order_id"),
        (json!({ "order_id": "x".repeat(300) }), "order_id"),
        (json!({ "transaction_id": null }), "transaction_id"),
        (json!({ "transaction_status": "a\u{0}b" }), "transaction_status"),
    ] {
        let problem = anyone.post(PATH, signed("x", changes)).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    let raw = async |kind, body: &str| {
        anyone.raw(reqwest::Method::POST, PATH, &[("content-type", kind)], body.to_owned()).await
    };
    for body in ["", "null", "[]", "{", "{}", "\"x\""] {
        assert_eq!(raw("application/json", body).await.status(), 400, "{body}");
    }
    raw("text/plain", &signed("x", json!({})).to_string()).await.problem(415, "unsupported_media_type");
    let large = signed("x", json!({ "metadata": "x".repeat(70_000) })).to_string();
    raw("application/json", &large).await.problem(413, "too_large");
    anyone.get(PATH).await.problem(405, "method_not_allowed");
    assert_eq!(shop.count("select count(*) from notifications").await, 0);
}

#[tokio::test]
async fn one_signed_content_is_one_row_whatever_else_is_written_into_it() {
    let shop = Shop::start().await;
    shop.page(41).await;
    let id = midtrans_id(&shop).await;
    for n in 0..20 {
        let changes = json!({
            "transaction_id": format!("t-{n}"), "transaction_status": format!("status-{n}"), "fraud_status": n,
            "refund_amount": [n], "refunds": null, "metadata": "",
        });
        shop.app.anyone().post(PATH, signed(&id, changes)).await.expect(200);
    }
    let rows = "select count(*) from notifications where cardinality(transaction_ids) <= 8 and received = 20";
    assert_eq!(shop.count(rows).await, 1);
    assert_eq!(shop.count("select count(*) from notifications").await, 1);
}

#[tokio::test]
async fn a_notification_that_comes_while_it_is_handled_is_handled_again() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({})).await;
    let id = midtrans_id(&shop).await;
    shop.app.anyone().post(PATH, signed(&id, json!({}))).await.expect(200);
    let mut busy = shop.pool().begin().await.unwrap();
    sqlx::query("select from payments for update").execute(&mut *busy).await.unwrap();
    let comes_again = async {
        shop.until_blocked(1).await;
        shop.app.anyone().post(PATH, signed(&id, json!({ "transaction_id": "t-2" }))).await.expect(200);
        busy.commit().await.unwrap();
    };
    tokio::join!(shop.run_due::<HandleNotification>(), comes_again);
    let waiting = "select count(*) from jobs.queue where kind = 'notification' and run_at <= now()";
    assert_eq!(shop.count(waiting).await, 1);
}

#[tokio::test]
async fn what_was_handled_long_ago_is_removed() {
    let shop = Shop::start().await;
    shop.sql(
        "insert into notifications
             (midtrans_order_id, status_code, gross_amount, transaction_ids, transaction_status, handled_at)
         select 'o-' || n, '200', '1.00', '{}', 'settlement', now() - (n || ' days')::interval
         from generate_series(1, 2500) as n",
    )
    .await;
    while maintenance::purge(shop.core()).await.unwrap() > 0 {}
    assert_eq!(shop.count("select count(*) from notifications").await, 29);
}

#[tokio::test]
async fn what_cannot_be_stored_is_to_be_sent_again() {
    let shop = Shop::start().await;
    shop.sql("alter table notifications rename to notifications_away").await;
    let reply = shop.app.anyone().post(PATH, signed("local-41-1-x", json!({}))).await;
    reply.problem(503, "not_stored");
    assert!(!reply.header("retry-after").is_empty());
}

#[tokio::test]
async fn a_notification_waits_until_midtrans_answers() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({ "notify": {} })).await;
    shop.inject_faults(json!({ "down": true })).await;
    shop.handle_notifications(1).await;
    assert_eq!(shop.status(41).await, "PENDING");
    let waiting = "select count(*) from jobs.queue where kind = 'notification' and run_at > now()";
    assert_eq!(shop.count(waiting).await, 1);
    shop.inject_faults(json!({})).await;
    shop.handle_notifications(1).await;
    assert_eq!(shop.status(41).await, "SUCCESS");
}
