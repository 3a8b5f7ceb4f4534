//! `POST /payment/{order_id}/refund`: what an administrator may ask for.

use contracts::events::PaymentRefunded;
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{ANI, PRICE, Shop};

const PATH: &str = "/api/v1/payment/41/refund";

async fn keyed(shop: &Shop, key: &str, body: Option<Value>) -> testkit::Reply {
    shop.app.admin().send(Method::POST, PATH, &[("idempotency-key", key)], body).await
}

#[tokio::test]
async fn only_an_administrator_refunds_and_only_what_was_paid() {
    let shop = Shop::start().await;
    shop.app.anyone().post(PATH, json!({})).await.problem(401, "unauthorized");
    shop.app.customer(ANI).post(PATH, json!({})).await.problem(403, "forbidden");
    shop.refund(41, json!({})).await.problem(404, "not_found");
    shop.page(41).await;
    shop.refund(41, json!({})).await.problem(409, "not_refundable");
    shop.app.admin().post("/api/v1/payment/x/refund", json!({})).await.problem(400, "invalid");
}

#[tokio::test]
async fn a_payment_goes_back_in_parts_and_no_further() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "gopay" })).await;
    let accepted =
        shop.refund(41, json!({ "amount": 50_000, "reason": "one shirt came back" })).await.expect(202);
    assert_eq!(accepted["status"], "SUCCESS");
    assert_eq!(accepted["refunds"], json!([{ "cause": "admin", "amount": 50_000, "state": "REQUESTED" }]));
    let problem = shop.refund(41, json!({ "amount": PRICE - 49_999 })).await.problem(409, "not_refundable");
    assert_eq!(problem["refundable"], PRICE - 50_000);
    shop.make_refunds().await;
    assert_eq!(shop.status(41).await, "PARTIALLY_REFUNDED");
    shop.refund(41, json!({})).await.expect(202);
    shop.make_refunds().await;
    let payment = shop.payment(41).await;
    assert_eq!((&payment["status"], &payment["refunded_amount"]), (&json!("REFUNDED"), &json!(PRICE)));
    shop.refund(41, json!({ "amount": 1 })).await.problem(409, "not_refundable");
    let events = shop.app.published::<PaymentRefunded>().await;
    let published: Vec<_> =
        events.iter().map(|event| (event.amount, event.refunded_total, event.full)).collect();
    assert_eq!(published, [(50_000, 50_000, false), (PRICE - 50_000, PRICE, true)]);
}

#[tokio::test]
async fn while_the_goods_are_here_the_order_is_cancelled_instead() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "gopay" })).await;
    for early in ["PAID", "AWAITING_PAYMENT"] {
        shop.orders_are(early);
        shop.refund(41, json!({})).await.problem(409, "cancel_first");
        shop.refund(41, json!({ "amount": PRICE })).await.problem(409, "cancel_first");
    }
    shop.refund(41, json!({ "amount": PRICE - 1 })).await.expect(202);
    shop.refund(41, json!({})).await.problem(409, "cancel_first");
    for (id, late) in [(42, "DELIVERED"), (43, "UNKNOWN")] {
        shop.paid(id, json!({ "payment_type": "gopay" })).await;
        shop.orders_are(late);
        shop.refund(id, json!({})).await.expect(202);
    }
}

#[tokio::test]
async fn without_order_service_nobody_knows_whether_the_goods_are_here() {
    let shop = Shop::with_flags(&["--order-url=http://127.0.0.1:9"]).await;
    shop.paid(41, json!({ "payment_type": "gopay" })).await;
    shop.refund(41, json!({})).await.problem(503, "order_unavailable");
    shop.refund(41, json!({ "amount": 1 })).await.expect(202);
}

#[tokio::test]
async fn a_repetition_with_the_same_key_refunds_once() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "gopay" })).await;
    let first = keyed(&shop, "k-1", Some(json!({ "amount": 1_000 }))).await;
    assert_eq!((first.status(), first.header("idempotency-replayed")), (202, ""));
    shop.make_refunds().await;
    let again = keyed(&shop, "k-1", Some(json!({ "amount": 1_000 }))).await;
    assert_eq!((again.status(), again.header("idempotency-replayed")), (202, "true"));
    assert_eq!(again.json(), first.json(), "as it was then");
    keyed(&shop, "k-1", Some(json!({ "amount": 1_001 }))).await.problem(422, "idempotency_key_reused");
    assert_eq!(shop.count("select count(*) from refunds").await, 1);

    assert_eq!(keyed(&shop, "k-2", None).await.status(), 202);
    let empty = keyed(&shop, "k-2", Some(json!({}))).await;
    assert_eq!(empty.header("idempotency-replayed"), "true", "no body is an empty one");
    assert_eq!(shop.count("select count(*) from refunds").await, 2);
}

#[tokio::test]
async fn concurrent_duplicates_refund_once() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "gopay" })).await;
    let ask = || keyed(&shop, "k-1", Some(json!({ "amount": 1_000 })));
    let replies = futures::future::join_all((0..6).map(|_| ask())).await;
    assert!(replies.iter().all(|reply| reply.status() == 202));
    assert_eq!(replies.iter().filter(|reply| reply.header("idempotency-replayed") == "true").count(), 5);
    assert_eq!(shop.count("select count(*) from refunds").await, 1);
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    keyed(&shop, "k-1", None).await.problem(409, "not_refundable");
    shop.pay(&token, json!({ "payment_type": "gopay" })).await;
    shop.poll().await;
    assert_eq!(keyed(&shop, "k-1", None).await.status(), 202);
}

#[tokio::test]
async fn bad_input_is_named_and_refunds_nothing() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "gopay" })).await;
    for (body, field) in [
        (json!({ "amount": 0 }), "amount"),
        (json!({ "amount": -1 }), "amount"),
        (json!({ "amount": "1" }), "amount"),
        (json!({ "amount": 1.5 }), "amount"),
        (json!({ "amount": 9_223_372_036_854_775_808_u64 }), "amount"),
        (json!({ "reason": "" }), "reason"),
        (json!({ "reason": "   " }), "reason"),
        (json!({ "amount": 5, "method": "manual", "reference": "\t" }), "reference"),
        (json!({ "reason": "\u{1F34E}".repeat(256) }), "reason"),
        (json!({ "reason": "a\u{0}" }), "reason"),
        (json!({ "method": "cash" }), "method"),
        (json!({ "method": "manual" }), "reference"),
        (json!({ "reference": "4711" }), "reference"),
        (json!({ "method": "manual", "reference": "" }), "reference"),
        (json!({ "amounts": 1 }), "amounts"),
    ] {
        let problem = shop.refund(41, body.clone()).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], field, "{body} {problem}");
    }
    let long = "k".repeat(256);
    for key in ["", "with space", "\u{e9}", &long] {
        let problem = keyed(&shop, key, None).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key", "{key}");
    }
    let raw = async |kind, body: &'static str| {
        shop.app.admin().raw(Method::POST, PATH, &[("content-type", kind)], body).await
    };
    raw("application/json", "{").await.problem(400, "malformed");
    raw("text/plain", "{}").await.problem(415, "unsupported_media_type");
    assert_eq!(shop.count("select count(*) from refunds").await, 0);
}

#[tokio::test]
async fn two_halves_at_once_are_a_whole_that_the_order_has_to_agree_to() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "gopay" })).await;
    shop.orders_are("PAID");
    let mut busy = shop.pool().begin().await.unwrap();
    sqlx::query("select from payments where order_id = 41 for update").execute(&mut *busy).await.unwrap();
    let half = async || shop.refund(41, json!({ "amount": PRICE / 2 })).await.status();
    let both_wait = async {
        testkit::eventually("both have read what is left", async || {
            let waiting = "select count(*) from pg_stat_activity
                           where wait_event_type = 'Lock' and datname = current_database()";
            (shop.count(waiting).await == 2).then_some(())
        })
        .await;
        busy.rollback().await.unwrap();
    };
    let (first, second, ()) = tokio::join!(half(), half(), both_wait);
    let mut statuses = [first, second];
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409], "all of it is cancel_first");
}
