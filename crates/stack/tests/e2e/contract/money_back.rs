//! The refund route, as the contract describes it.

use serde_json::{Value, json};
use stack::actors::{Customer, Poller};
use stack::api::Reply;

use super::payments::{see, wait_for};
use crate::harness::{Answer, Open};

pub async fn hold(open: &Open) {
    parts_go_back_until_nothing_is_left(open).await;
    a_repeated_refund_is_made_once(open).await;
    an_order_that_has_not_left_is_cancelled_instead(open).await;
    what_was_not_paid_does_not_go_back(open).await;
    a_transfer_is_refunded_by_hand(open).await;
}

async fn refund(open: &Open, order: i64, key: &str, body: Value) -> Reply {
    let line = format!("POST /api/v1/payment/{order}/refund");
    let headers = [("idempotency-key", key)];
    open.ask_with(&open.admin.token, &line, if key.is_empty() { &[] } else { &headers }, body).await
}

/// A delivered order that was paid in this way.
async fn delivered(open: &Open, how: &str) -> (Customer, i64) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let (order, token) = open.awaiting(&buyer, product).await;
    open.bank.act(&token, &json!({"payment_type": how})).await.unwrap();
    buyer.wait_for(order, &["PAID"]).await.unwrap();
    open.delivered(&buyer, order).await;
    (buyer, order)
}

/// Waits until this much went back, and the order knows.
async fn went_back(open: &Open, buyer: &Customer, order: i64, amount: i64) {
    let mut poller = Poller::new();
    loop {
        let payment = see(open, &buyer.token, order).await;
        let seen = buyer.see_order(order).await.unwrap();
        if payment["refunded_amount"] == amount && seen["refunded_amount"] == amount {
            return;
        }
        poller.wait(|| format!("{amount} did not go back: {payment}, {seen}")).await.unwrap();
    }
}

async fn parts_go_back_until_nothing_is_left(open: &Open) {
    let (buyer, order) = delivered(open, "gopay").await;
    let accepted = refund(open, order, "", json!({"amount": 5_000, "reason": "a scratch"})).await.is(202);
    assert_eq!(accepted["refunds"][0]["amount"], 5_000);
    assert_eq!(accepted["refunds"][0]["cause"], "admin");
    went_back(open, &buyer, order, 5_000).await;
    assert_eq!(see(open, &buyer.token, order).await["status"], "PARTIALLY_REFUNDED");
    let problem = refund(open, order, "", json!({"amount": 15_001})).await.refused(409, "not_refundable");
    assert_eq!(problem["refundable"], 15_000);
    refund(open, order, "", Value::Null).await.is(202);
    went_back(open, &buyer, order, 20_000).await;
    assert_eq!(wait_for(open, &buyer.token, order, "REFUNDED").await["refunds"].as_array().unwrap().len(), 2);
    refund(open, order, "", json!({})).await.refused(409, "not_refundable");
    assert_eq!(buyer.see_order(order).await.unwrap()["status"], "DELIVERED");
}

async fn a_repeated_refund_is_made_once(open: &Open) {
    let (buyer, order) = delivered(open, "gopay").await;
    let part = json!({"amount": 5_000});
    let first = refund(open, order, "refund-1", part.clone()).await;
    assert_eq!(first.header("idempotency-replayed"), "");
    let first = first.is(202);
    let again = refund(open, order, "refund-1", part.clone()).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.is(202), first);
    refund(open, order, "refund-1", json!({"amount": 5_001})).await.refused(422, "idempotency_key_reused");
    refund(open, order, "with a space", part.clone()).await.invalid("Idempotency-Key");
    went_back(open, &buyer, order, 5_000).await;
    refund(open, order, "refund-2", part).await.is(202);
    went_back(open, &buyer, order, 10_000).await;
}

async fn an_order_that_has_not_left_is_cancelled_instead(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let order = open.paid(&buyer, product).await;
    for all in [json!({}), json!({"amount": 20_000})] {
        refund(open, order, "", all).await.refused(409, "cancel_first");
    }
    assert_eq!(see(open, &buyer.token, order).await["refunds"], json!([]));
}

async fn what_was_not_paid_does_not_go_back(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let (order, _) = open.awaiting(&buyer, product).await;
    refund(open, order, "", json!({})).await.refused(409, "not_refundable");
    refund(open, 1_000_000_000, "", json!({})).await.refused(404, "not_found");
    for body in [json!({"reference": "BCA 4711"}), json!({"method": "manual"})] {
        refund(open, order, "", body).await.invalid("reference");
    }
}

async fn a_transfer_is_refunded_by_hand(open: &Open) {
    let (buyer, order) = delivered(open, "bank_transfer").await;
    refund(open, order, "", json!({"amount": 5_000})).await.is(202);
    let mut poller = Poller::new();
    while see(open, &buyer.token, order).await["refunds"][0]["state"] != "MANUAL" {
        poller.wait(|| "the refund does not wait for a person".to_owned()).await.unwrap();
    }
    let by_hand = json!({"method": "manual", "reference": "BCA 4711", "amount": 5_000});
    let closed = refund(open, order, "", by_hand).await.is(202);
    let refund = json!({"cause": "admin", "amount": 5_000, "state": "DONE", "reference": "BCA 4711"});
    assert_eq!(closed["refunds"], json!([refund]));
    went_back(open, &buyer, order, 5_000).await;
}
