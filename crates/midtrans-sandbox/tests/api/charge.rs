use midtrans::TransactionStatus;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::sandbox::{KEY, Sandbox, order_id};

fn bank_transfer(order_id: &str) -> Value {
    json!({
        "payment_type": "bank_transfer", "bank_transfer": {"bank": "bca"},
        "transaction_details": {"order_id": order_id, "gross_amount": 44_145},
    })
}

async fn token(sandbox: &Sandbox, card_number: &str) -> String {
    let url = format!("{}/v2/token", sandbox.base);
    let query = [("client_key", "SB-Mid-client-test"), ("card_number", card_number), ("card_cvv", "123")];
    let reply: Value = sandbox.http.get(url).query(&query).send().await.unwrap().json().await.unwrap();
    assert_eq!(reply["status_code"], "200");
    reply["token_id"].as_str().unwrap().to_owned()
}

async fn charge(sandbox: &Sandbox, body: &Value) -> (StatusCode, Value) {
    sandbox.core(Method::POST, "/charge", body.to_string()).await
}

#[tokio::test]
async fn a_bank_transfer_waits_for_the_customer() {
    let sandbox = Sandbox::start().await;
    let order_id = order_id();
    let (http, reply) = charge(&sandbox, &bank_transfer(&order_id)).await;
    assert_eq!((http, &reply["status_code"]), (StatusCode::OK, &json!("201")));
    assert_eq!(reply["status_message"], "Success, Bank Transfer transaction is created");
    assert_eq!(sandbox.status(&order_id).await.transaction_status, TransactionStatus::Pending);
    let (http, again) = charge(&sandbox, &bank_transfer(&order_id)).await;
    assert_eq!((http, &again["status_code"]), (StatusCode::OK, &json!("406")));
}

#[tokio::test]
async fn a_card_is_decided_at_once_by_its_number() {
    let sandbox = Sandbox::start().await;
    for (card, code, status) in
        [("4811 1111 1111 1114", "200", "capture"), ("4911 1111 1111 1113", "202", "deny")]
    {
        let body = json!({"payment_type": "credit_card", "credit_card": {"token_id": token(&sandbox, card).await},
            "transaction_details": {"order_id": order_id(), "gross_amount": 12_145}});
        let (_, reply) = charge(&sandbox, &body).await;
        assert_eq!((&reply["status_code"], &reply["transaction_status"]), (&json!(code), &json!(status)));
    }
}

#[tokio::test]
async fn an_authorized_card_is_captured_later() {
    let sandbox = Sandbox::start().await;
    let card = json!({"token_id": token(&sandbox, "4811111111111114").await, "type": "authorize"});
    let body = json!({"payment_type": "credit_card", "credit_card": card,
        "transaction_details": {"order_id": order_id(), "gross_amount": 12_145}});
    let (_, reply) = charge(&sandbox, &body).await;
    assert_eq!(reply["transaction_status"], "authorize");
    let body = json!({"transaction_id": reply["transaction_id"], "gross_amount": 12_145}).to_string();
    let (_, reply) = sandbox.core(Method::POST, "/capture", body.clone()).await;
    assert_eq!(reply["transaction_status"], "capture");
    let (_, reply) = sandbox.core(Method::POST, "/capture", body).await;
    assert_eq!(reply["status_code"], "412");
}

#[tokio::test]
async fn the_codes_of_wrong_charges_are_midtrans_own() {
    let sandbox = Sandbox::start().await;
    let (http, reply) = sandbox.core(Method::POST, "/charge", "null").await;
    assert_eq!((http, &reply["status_code"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("500")));
    assert!(reply["status_message"].as_str().unwrap().contains("unexpected"));
    let (http, reply) = sandbox.core(Method::POST, "/charge", "{").await;
    assert_eq!((http, &reply["status_code"]), (StatusCode::OK, &json!("413")));
    let mut free = bank_transfer(&order_id());
    free["transaction_details"]["gross_amount"] = json!(0);
    let (http, reply) = charge(&sandbox, &free).await;
    assert_eq!((http, &reply["status_code"]), (StatusCode::BAD_REQUEST, &json!("400")));
    assert_eq!(reply["validation_messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_idempotency_key_gets_the_same_reply() {
    let sandbox = Sandbox::start().await;
    let charge = async |order_id: &str| -> Value {
        let request = sandbox.http.post(format!("{}/v2/charge", sandbox.base)).basic_auth(KEY, Some(""));
        let request = request.header("Idempotency-Key", "key-1").json(&bank_transfer(order_id));
        request.send().await.unwrap().json().await.unwrap()
    };
    let first = charge(&order_id()).await;
    assert_eq!(first["status_code"], "201");
    assert_eq!(charge(&order_id()).await, first, "whatever the body is");
}

#[tokio::test]
async fn a_failed_charge_does_not_use_the_idempotency_key_up() {
    let sandbox = Sandbox::start().await;
    let charge = async |body: &Value| -> Value {
        let request = sandbox.http.post(format!("{}/v2/charge", sandbox.base)).basic_auth(KEY, Some(""));
        request.header("Idempotency-Key", "key-1").json(body).send().await.unwrap().json().await.unwrap()
    };
    assert_eq!(charge(&json!({})).await["status_code"], "400");
    assert_eq!(charge(&bank_transfer(&order_id())).await["status_code"], "201");
}
