//! How a payment stands, and what the bank may do to it.

use serde_json::{Value, json};
use stack::actors::Poller;

use crate::harness::{Answer, Open};

pub async fn hold(open: &Open) {
    a_payment_is_seen_by_its_owner_and_administrators(open).await;
    a_challenged_card_is_decided_by_the_bank(open).await;
    a_lie_about_the_amount_counts_for_nothing(open).await;
    a_chargeback_and_a_reversal_are_noted(open).await;
    money_that_comes_too_late_goes_back(open).await;
}

pub async fn see(open: &Open, token: &str, order: i64) -> Value {
    open.ask(token, &format!("GET /api/v1/payment/{order}"), Value::Null).await.is(200)
}

/// Waits until a payment has this status.
pub async fn wait_for(open: &Open, token: &str, order: i64, status: &str) -> Value {
    let mut poller = Poller::new();
    loop {
        let seen = see(open, token, order).await;
        if seen["status"] == status {
            return seen;
        }
        poller.wait(|| format!("the payment is not {status}: {seen},")).await.unwrap();
    }
}

/// What the bank or the merchant does later to the payment on this page.
pub async fn later(open: &Open, page: &str, act: &str) {
    let line = format!("POST /midtrans/sandbox/transactions/{page}/{act}");
    open.ask("", &line, json!({})).await.is(200);
}

async fn a_payment_is_seen_by_its_owner_and_administrators(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let (order, token) = open.awaiting(&buyer, product).await;
    let pending = see(open, &buyer.token, order).await;
    assert_eq!((&pending["order_id"], &pending["amount"]), (&json!(order), &json!(20_000)));
    assert_eq!((&pending["status"], &pending["refunds"]), (&json!("PENDING"), &json!([])));
    assert!(pending["payment_url"].as_str().unwrap().contains(&token));
    assert!(pending["expires_at"].is_string());
    assert_eq!(see(open, &open.admin.token, order).await, pending);
    let line = format!("GET /api/v1/payment/{order}");
    open.ask(&open.customer().await.token, &line, Value::Null).await.refused(404, "not_found");

    open.bank.pay(&token).await.unwrap();
    let paid = wait_for(open, &buyer.token, order, "SUCCESS").await;
    assert_eq!((&paid["payment_type"], &paid["refunded_amount"]), (&json!("credit_card"), &json!(0)));
    assert!(paid["paid_at"].is_string() && paid.get("payment_url").is_none(), "{paid}");
}

async fn a_challenged_card_is_decided_by_the_bank(open: &Open) {
    for (decision, payment, end) in [("accept", "SUCCESS", "PAID"), ("deny", "FAILED", "FAILED")] {
        let (buyer, product) = (open.customer().await, open.product(5).await);
        let (order, token) = open.awaiting(&buyer, product).await;
        let card = json!({"payment_type": "credit_card", "outcome": "challenge"});
        open.bank.act(&token, &card).await.unwrap();
        wait_for(open, &buyer.token, order, "CHALLENGE").await;
        assert_eq!(buyer.see_order(order).await.unwrap()["status"], "AWAITING_PAYMENT");
        later(open, &token, &format!("challenge/{decision}")).await;
        wait_for(open, &buyer.token, order, payment).await;
        buyer.wait_for(order, &[end]).await.unwrap();
    }
}

async fn a_lie_about_the_amount_counts_for_nothing(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let (order, token) = open.awaiting(&buyer, product).await;
    let lie = json!({"payment_type": "bank_transfer", "notify": {"gross_amount": 1}});
    open.bank.act(&token, &lie).await.unwrap();
    assert_eq!(wait_for(open, &buyer.token, order, "SUCCESS").await["amount"], 20_000);
    buyer.wait_for(order, &["PAID"]).await.unwrap();
}

async fn a_chargeback_and_a_reversal_are_noted(open: &Open) {
    for act in ["chargeback", "reverse"] {
        let (buyer, product) = (open.customer().await, open.product(5).await);
        let (order, token) = open.awaiting(&buyer, product).await;
        let how = json!({"payment_type": if act == "chargeback" { "credit_card" } else { "bank_transfer" }});
        open.bank.act(&token, &how).await.unwrap();
        buyer.wait_for(order, &["PAID"]).await.unwrap();
        if act == "chargeback" {
            later(open, &token, "settle").await;
        }
        later(open, &token, act).await;
        wait_for(open, &buyer.token, order, "REVERSED").await;
        let mut poller = Poller::new();
        let line = format!("GET /api/v1/order/{order}/events");
        loop {
            let events = open.ask(&buyer.token, &line, Value::Null).await.is(200);
            let noted = |event: &Value| event["cause"] == "PaymentReversed" && event["from"] == event["to"];
            if events.as_array().unwrap().iter().any(noted) {
                break;
            }
            poller.wait(|| format!("the {act} is not noted in {events}")).await.unwrap();
        }
        assert_eq!(buyer.see_order(order).await.unwrap()["status"], "PAID", "a person decides what follows");
    }
}

async fn money_that_comes_too_late_goes_back(open: &Open) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let (order, token) = open.awaiting(&buyer, product).await;
    let expiry = json!({"payment_type": "gopay", "outcome": "expire"});
    open.bank.act(&token, &expiry).await.unwrap();
    buyer.wait_for(order, &["FAILED"]).await.unwrap();
    later(open, &token, "settle").await;
    let payment = wait_for(open, &buyer.token, order, "REFUNDED").await;
    assert_eq!(
        (&payment["refunds"][0]["cause"], &payment["refunded_amount"]),
        (&json!("late"), &json!(20_000))
    );
    assert_eq!(buyer.see_order(order).await.unwrap()["status"], "FAILED");
}
