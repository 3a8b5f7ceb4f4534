//! Payments of another amount than asked for, about which an administrator decides.

use serde_json::{Value, json};
use stack::actors::Customer;
use stack::api::Reply;

use super::payments::wait_for;
use crate::harness::{Answer, Open};

pub async fn hold(open: &Open) {
    an_accepted_amount_pays_the_order(open).await;
    a_refused_amount_goes_back(open).await;
    the_amount_for_an_ended_order_can_only_go_back(open).await;
    there_is_nothing_to_decide_about_other_payments(open).await;
}

/// A payment of another amount than asked for, which is in review.
pub async fn in_review(open: &Open) -> (Customer, i64) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let (order, token) = open.awaiting(&buyer, product).await;
    let less = json!({"payment_type": "gopay", "gross_amount": 19_000});
    open.bank.act(&token, &less).await.unwrap();
    wait_for(open, &buyer.token, order, "REVIEW").await;
    assert_eq!(buyer.see_order(order).await.unwrap()["status"], "AWAITING_PAYMENT");
    (buyer, order)
}

async fn decide(open: &Open, order: i64, decision: &str) -> Reply {
    let line = format!("POST /api/v1/payment/{order}/review");
    open.ask(&open.admin.token, &line, json!({"decision": decision})).await
}

async fn an_accepted_amount_pays_the_order(open: &Open) {
    let (buyer, order) = in_review(open).await;
    assert_eq!(decide(open, order, "accept").await.is(200)["status"], "SUCCESS");
    buyer.wait_for(order, &["PAID"]).await.unwrap();
    decide(open, order, "refund").await.refused(409, "not_in_review");
    // The books compare what came with what was asked for: the difference goes back with the rest.
    let line = format!("POST /api/v1/order/{order}/cancel");
    open.ask(&open.admin.token, &line, Value::Null).await.is(200);
    wait_for(open, &buyer.token, order, "REFUNDED").await;
}

async fn a_refused_amount_goes_back(open: &Open) {
    let (buyer, order) = in_review(open).await;
    decide(open, order, "refund").await.is(200);
    buyer.wait_for(order, &["FAILED"]).await.unwrap();
    let payment = wait_for(open, &buyer.token, order, "REFUNDED").await;
    assert_eq!(payment["refunded_amount"], 19_000);
}

async fn the_amount_for_an_ended_order_can_only_go_back(open: &Open) {
    let (buyer, order) = in_review(open).await;
    let line = format!("POST /api/v1/order/{order}/cancel");
    let cancel = open.ask(&buyer.token, &line, Value::Null).await;
    assert_ne!(cancel.status, 200, "money came, though not what was asked for: {}", cancel.text);
    decide(open, order, "refund").await.is(200);
    wait_for(open, &buyer.token, order, "REFUNDED").await;
}

async fn there_is_nothing_to_decide_about_other_payments(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let (order, _) = open.awaiting(&buyer, product).await;
    decide(open, order, "accept").await.refused(409, "not_in_review");
    decide(open, order, "perhaps").await.invalid("decision");
    decide(open, 1_000_000_000, "accept").await.refused(404, "not_found");
}
