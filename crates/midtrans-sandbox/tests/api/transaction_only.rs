//! Methods that Midtrans finds by their transaction id only.

use reqwest::Method;
use serde_json::{Value, json};

use crate::sandbox::{Sandbox, order_id};

async fn status(sandbox: &Sandbox, id: &str) -> Value {
    sandbox.core(Method::GET, &format!("/{id}/status"), "").await.1
}

#[tokio::test]
async fn the_order_id_finds_nothing_and_the_transaction_id_names_itself() {
    let sandbox = Sandbox::start().await;
    for method in [
        json!({"payment_type": "dana"}),
        json!({"payment_type": "bank_transfer", "bank": "bsi"}),
        json!({"payment_type": "bank_transfer", "bank": "danamon"}),
        json!({"payment_type": "bank_transfer", "bank": "seabank"}),
        json!({"payment_type": "bank_transfer", "bank": "saqu"}),
    ] {
        let order_id = order_id();
        let page = sandbox.page(&order_id, 10_000).await;
        let mut request = method.clone();
        request["token"] = json!(page.token);
        let paid = sandbox.pay(request).await;
        assert_eq!(paid["order_id"], json!(order_id), "the control API names the order");
        let transaction_id = paid["transaction_id"].as_str().unwrap();
        assert_eq!(status(&sandbox, &order_id).await["status_code"], "404", "{method}");
        let found = status(&sandbox, transaction_id).await;
        assert_eq!((&found["order_id"], &found["status_code"]), (&json!(transaction_id), &json!("200")));
        assert_eq!(found["transaction_status"], "settlement");
    }
}

#[tokio::test]
async fn actions_need_the_transaction_id_too() {
    let sandbox = Sandbox::start().await;
    let order_id = order_id();
    let page = sandbox.page(&order_id, 10_000).await;
    let waiting =
        sandbox.pay(json!({"token": page.token, "payment_type": "dana", "outcome": "pending"})).await;
    let transaction_id = waiting["transaction_id"].as_str().unwrap();
    let cancel = async |id: &str| sandbox.core(Method::POST, &format!("/{id}/cancel"), "").await.1;
    assert_eq!(cancel(&order_id).await["status_code"], "404");
    let cancelled = cancel(transaction_id).await;
    assert_eq!((&cancelled["status_code"], &cancelled["order_id"]), (&json!("200"), &json!(transaction_id)));
}
