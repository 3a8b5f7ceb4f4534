use midtrans::{Error, FraudStatus, TransactionStatus};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::sandbox::{Sandbox, eventually, order_id};

/// A page of 10,000 rupiah on which this is done.
async fn paid(sandbox: &Sandbox, mut request: Value) -> (String, Value) {
    let order_id = order_id();
    request["token"] = json!(sandbox.page(&order_id, 10_000).await.token);
    (order_id, sandbox.pay(request).await)
}

#[tokio::test]
async fn every_method_is_paid_as_its_customers_do() {
    let sandbox = Sandbox::start().await;
    for (payment_type, status) in [
        ("credit_card", TransactionStatus::Capture),
        ("bank_transfer", TransactionStatus::Settlement),
        ("qris", TransactionStatus::Settlement),
        ("gopay", TransactionStatus::Settlement),
        ("echannel", TransactionStatus::Settlement),
        ("cstore", TransactionStatus::Settlement),
    ] {
        let (order_id, told) = paid(&sandbox, json!({"payment_type": payment_type})).await;
        let transaction = sandbox.status(&order_id).await;
        assert_eq!(transaction.transaction_status, status, "{payment_type}");
        assert_eq!(transaction.payment_type, payment_type);
        assert_eq!((transaction.gross_amount, transaction.currency.as_str()), (10_000, "IDR"));
        assert!(transaction.is_paid() && transaction.transaction_time.is_some());
        assert_eq!(told["transaction_status"], status.as_str());
        assert_eq!(told["transaction_id"], transaction.transaction_id.as_str());
    }
}

#[tokio::test]
async fn every_outcome_can_be_asked_for() {
    let sandbox = Sandbox::start().await;
    for (payment_type, outcome, status, code) in [
        ("credit_card", "settlement", "settlement", "200"),
        ("credit_card", "capture", "capture", "200"),
        ("credit_card", "challenge", "capture", "201"),
        ("credit_card", "deny", "deny", "202"),
        ("credit_card", "pending", "pending", "201"),
        ("gopay", "deny", "deny", "202"),
        ("gopay", "pending", "pending", "201"),
        ("gopay", "cancel", "cancel", "200"),
        ("gopay", "expire", "expire", "407"),
    ] {
        let (_, told) = paid(&sandbox, json!({"payment_type": payment_type, "outcome": outcome})).await;
        assert_eq!(
            (&told["transaction_status"], &told["status_code"]),
            (&json!(status), &json!(code)),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_denied_card_can_be_followed_by_another_one() {
    let sandbox = Sandbox::start().await;
    let order_id = order_id();
    let token = sandbox.page(&order_id, 10_000).await.token;
    let denied = sandbox.pay(json!({"token": token, "card_number": "4911 1111 1111 1113"})).await;
    assert_eq!(denied["transaction_status"], "deny");
    assert_eq!(denied["channel_response_code"], "05");
    assert_eq!(sandbox.status(&order_id).await.transaction_status, TransactionStatus::Deny);

    let accepted = sandbox.pay(json!({"token": token, "card_number": "4011111111111111"})).await;
    assert_eq!(accepted["transaction_status"], "capture");
    assert_ne!(accepted["transaction_id"], denied["transaction_id"], "each attempt has an id of its own");
    assert!(sandbox.status(&order_id).await.is_paid(), "the order id stands for the newest attempt");
    let first = sandbox.status(denied["transaction_id"].as_str().unwrap()).await;
    assert_eq!(first.transaction_status, TransactionStatus::Deny);
    assert_eq!(accepted["attempts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_paid_can_not_be_paid_again() {
    let sandbox = Sandbox::start().await;
    let (_, told) = paid(&sandbox, json!({})).await;
    let again = json!({"token": told["token"]});
    let (status, _) = sandbox.control(Method::POST, "/pay", again).await;
    assert_eq!(status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_challenged_card_is_decided_by_the_merchant() {
    let sandbox = Sandbox::start().await;
    let challenged = json!({"card_number": "4511111111111117"});

    let (order_id, told) = paid(&sandbox, challenged.clone()).await;
    assert_eq!(
        (&told["fraud_status"], &told["transaction_status"]),
        (&json!("challenge"), &json!("capture"))
    );
    assert!(!sandbox.status(&order_id).await.is_paid());
    let approved = sandbox.midtrans.approve(&order_id).await.unwrap();
    assert_eq!(approved.fraud_status, Some(FraudStatus::Accept));
    assert!(sandbox.status(&order_id).await.is_paid());

    let (order_id, _) = paid(&sandbox, challenged.clone()).await;
    let denied = sandbox.midtrans.deny(&order_id).await.unwrap();
    assert_eq!(denied.transaction_status, TransactionStatus::Deny);

    let (order_id, _) = paid(&sandbox, challenged.clone()).await;
    let accepted = sandbox.post(&format!("/transactions/{order_id}/challenge/accept"), Value::Null).await;
    assert_eq!(accepted["fraud_status"], "accept");

    let (order_id, _) = paid(&sandbox, challenged).await;
    let denied = sandbox.post(&format!("/transactions/{order_id}/challenge/deny"), Value::Null).await;
    assert_eq!((&denied["transaction_status"], &denied["fraud_status"]), (&json!("deny"), &json!("deny")));
}

#[tokio::test]
async fn a_slow_card_is_accepted_after_a_while() {
    let sandbox = Sandbox::start().await;
    let (order_id, told) = paid(&sandbox, json!({"card_number": "4024007176265022"})).await;
    assert_eq!(told["transaction_status"], "pending");
    eventually(async || sandbox.status(&order_id).await.is_paid().then_some(())).await;
}

#[tokio::test]
async fn a_pending_payment_goes_on_on_the_same_page() {
    let sandbox = Sandbox::start().await;
    let (order_id, pending) =
        paid(&sandbox, json!({"payment_type": "bank_transfer", "outcome": "pending"})).await;
    let other_method = json!({"token": pending["token"], "payment_type": "qris"});
    assert_eq!(sandbox.control(Method::POST, "/pay", other_method).await.0, StatusCode::CONFLICT);
    let paid = sandbox.pay(json!({"token": pending["token"]})).await;
    assert_eq!(paid["transaction_id"], pending["transaction_id"]);
    assert_eq!(sandbox.status(&order_id).await.transaction_status, TransactionStatus::Settlement);
}

#[tokio::test]
async fn midtrans_may_charge_another_amount() {
    let sandbox = Sandbox::start().await;
    let (order_id, _) = paid(&sandbox, json!({"gross_amount": 9_999})).await;
    assert_eq!(sandbox.status(&order_id).await.gross_amount, 9_999);
}

#[tokio::test]
async fn banks_settle_take_back_and_reverse() {
    let sandbox = Sandbox::start().await;
    let (order_id, _) = paid(&sandbox, json!({})).await;
    let after = async |action: &str| {
        let told = sandbox.post(&format!("/transactions/{order_id}/{action}"), Value::Null).await;
        told["transaction_status"].as_str().unwrap().to_owned()
    };
    assert_eq!(after("settle").await, "settlement");
    assert!(sandbox.status(&order_id).await.settlement_time.is_some());
    assert_eq!(after("chargeback").await, "chargeback");

    let (order_id, told) = paid(&sandbox, json!({"payment_type": "bank_transfer"})).await;
    let by_token = format!("/transactions/{}/reverse", told["token"].as_str().unwrap());
    assert_eq!(sandbox.post(&by_token, Value::Null).await["transaction_status"], "deny");
    let (status, problem) =
        sandbox.control(Method::POST, &format!("/transactions/{order_id}/chargeback"), Value::Null).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("not_allowed")));
}

#[tokio::test]
async fn money_can_arrive_late_for_a_virtual_account() {
    let sandbox = Sandbox::start().await;
    let (order_id, _) = paid(&sandbox, json!({"payment_type": "bank_transfer", "outcome": "expire"})).await;
    sandbox.post(&format!("/transactions/{order_id}/settle"), Value::Null).await;
    assert!(sandbox.status(&order_id).await.is_paid());
}

#[tokio::test]
async fn a_page_that_is_gone_can_not_be_paid() {
    let sandbox = Sandbox::start().await;
    let (status, problem) = sandbox.control(Method::POST, "/pay", json!({"token": "no-such-token"})).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    assert!(matches!(sandbox.midtrans.status("no-such-order").await, Err(Error::NotFound(_))));
}
