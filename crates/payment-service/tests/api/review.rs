//! `POST /payment/{order_id}/review`: what to do with another amount than asked for.

use contracts::events::{CancelCause, PaymentFailed, PaymentFailure, PaymentRefunded, PaymentSuccess};
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{ANI, Shop, cancelled};

const PATH: &str = "/api/v1/payment/41/review";

async fn in_review() -> (Shop, String) {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({ "payment_type": "gopay", "gross_amount": 140_000 })).await;
    shop.poll().await;
    assert_eq!(shop.status(41).await, "REVIEW");
    (shop, token)
}

async fn decide(shop: &Shop, decision: &str) -> testkit::Reply {
    shop.app.admin().post(PATH, json!({ "decision": decision })).await
}

#[tokio::test]
async fn an_accepted_amount_pays_the_order() {
    let (shop, _) = in_review().await;
    assert_eq!(decide(&shop, "accept").await.expect(200)["status"], "SUCCESS");
    let paid = shop.app.published::<PaymentSuccess>().await;
    assert_eq!((paid.len(), paid[0].amount), (1, 140_000));
    decide(&shop, "accept").await.problem(409, "not_in_review");
    decide(&shop, "refund").await.problem(409, "not_in_review");
    let problem = shop.refund(41, json!({ "amount": 140_001 })).await.problem(409, "not_refundable");
    assert_eq!(problem["refundable"], 140_000, "no more goes back than came");
}

#[tokio::test]
async fn an_amount_that_is_not_accepted_goes_back_and_the_order_fails() {
    let (shop, token) = in_review().await;
    decide(&shop, "refund").await.expect(200);
    assert_eq!(shop.app.published::<PaymentFailed>().await[0].reason, PaymentFailure::Cancelled);
    shop.make_refunds().await;
    assert_eq!(shop.status(41).await, "REFUNDED");
    let refunded = shop.app.published::<PaymentRefunded>().await;
    assert_eq!((refunded.len(), refunded[0].amount, refunded[0].full), (1, 140_000, true));
    assert_eq!(shop.at_midtrans(&token).await["transaction_status"], "refund");
    assert_eq!(shop.app.published::<PaymentSuccess>().await, []);
}

#[tokio::test]
async fn what_went_back_on_the_dashboard_is_not_accepted() {
    let (shop, token) = in_review().await;
    shop.inject_faults(json!({ "down": true })).await;
    decide(&shop, "accept").await.problem(503, "midtrans_unavailable");
    shop.inject_faults(json!({})).await;
    let id = shop.at_midtrans(&token).await["order_id"].as_str().unwrap().to_owned();
    shop.refund_at_midtrans(&id, 140_000).await;
    decide(&shop, "accept").await.problem(409, "not_paid");
    assert_eq!(shop.app.published::<PaymentSuccess>().await, []);
    decide(&shop, "refund").await.expect(200);
    assert_eq!(shop.app.published::<PaymentFailed>().await[0].reason, PaymentFailure::Cancelled);
}

#[tokio::test]
async fn the_amount_for_an_ended_order_can_only_go_back() {
    let (shop, _) = in_review().await;
    shop.deliver(cancelled(41, CancelCause::Timeout)).await;
    decide(&shop, "accept").await.problem(409, "order_ended");
    assert_eq!(decide(&shop, "refund").await.expect(200)["refunds"][0]["amount"], 140_000);
}

#[tokio::test]
async fn only_an_administrator_decides_and_only_about_a_review() {
    let shop = Shop::start().await;
    let body = json!({ "decision": "accept" });
    shop.app.anyone().post(PATH, body.clone()).await.problem(401, "unauthorized");
    shop.app.customer(ANI).post(PATH, body.clone()).await.problem(403, "forbidden");
    shop.app.admin().post(PATH, body.clone()).await.problem(404, "not_found");
    shop.page(41).await;
    shop.app.admin().post(PATH, body).await.problem(409, "not_in_review");
    let bad: [(Value, &str); 4] = [
        (json!({}), "decision"),
        (json!({ "decision": "maybe" }), "decision"),
        (json!({ "decision": 1 }), "decision"),
        (json!({ "decision": "accept", "amount": 1 }), "amount"),
    ];
    for (body, field) in bad {
        let problem = shop.app.admin().post(PATH, body).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    let raw = shop.app.admin().raw(Method::POST, PATH, &[("content-type", "text/plain")], "{}").await;
    raw.problem(415, "unsupported_media_type");
    shop.app
        .admin()
        .post("/api/v1/payment/0/review", json!({ "decision": "accept" }))
        .await
        .problem(400, "invalid");
}
