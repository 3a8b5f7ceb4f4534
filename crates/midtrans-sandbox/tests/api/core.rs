use midtrans::{Error, TransactionStatus};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::sandbox::{Sandbox, order_id};

async fn with(sandbox: &Sandbox, payment_type: &str, outcome: &str) -> String {
    let order_id = order_id();
    let token = sandbox.page(&order_id, 10_000).await.token;
    sandbox.pay(json!({"token": token, "payment_type": payment_type, "outcome": outcome})).await;
    order_id
}

#[tokio::test]
async fn an_unknown_id_is_http_200_with_404_inside() {
    let sandbox = Sandbox::start().await;
    for (method, action) in [
        (Method::GET, "status"),
        (Method::GET, "status/b2b"),
        (Method::POST, "cancel"),
        (Method::POST, "expire"),
        (Method::POST, "approve"),
        (Method::POST, "deny"),
        (Method::POST, "refund"),
        (Method::POST, "refund/online/direct"),
    ] {
        let (http, body) = sandbox.core(method, &format!("/unknown/{action}"), "").await;
        assert_eq!(http, StatusCode::OK, "{action}");
        assert_eq!(body["status_code"], "404", "{action}");
        assert_eq!(body["status_message"], "Transaction doesn't exist.");
    }
}

#[tokio::test]
async fn an_id_with_a_slash_has_no_route() {
    let sandbox = Sandbox::start().await;
    for id in ["a/b", "a%2Fb"] {
        let (http, body) = sandbox.core(Method::GET, &format!("/{id}/status"), "").await;
        assert_eq!((http, &body["error"]), (StatusCode::NOT_FOUND, &json!("Not Found")));
    }
    assert!(matches!(sandbox.midtrans.status("a/b").await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn a_wrong_key_is_http_401() {
    let sandbox = Sandbox::start().await;
    let response = sandbox.http.get(format!("{}/v2/x/status", sandbox.base)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(
        response
            .text()
            .await
            .unwrap()
            .starts_with(r#"{"status_code":"401","status_message":"Unknown Merchant server_key/id","id":""#)
    );
}

#[tokio::test]
async fn a_payment_is_found_by_order_id_and_by_transaction_id() {
    let sandbox = Sandbox::start().await;
    let order_id = with(&sandbox, "bank_transfer", "settlement").await;
    let by_order = sandbox.status(&order_id).await;
    assert_eq!(sandbox.status(&by_order.transaction_id).await, by_order);
}

#[tokio::test]
async fn bodies_and_unknown_query_members_are_ignored_where_there_is_nothing_to_say() {
    let sandbox = Sandbox::start().await;
    for body in ["", "{}", "null"] {
        let order_id = with(&sandbox, "gopay", "pending").await;
        let (http, told) = sandbox.core(Method::GET, &format!("/{order_id}/status?X-Foo=bar"), body).await;
        assert_eq!((http, &told["status_code"]), (StatusCode::OK, &json!("201")));
        let (_, told) = sandbox.core(Method::POST, &format!("/{order_id}/cancel"), body).await;
        assert_eq!(told["transaction_status"], "cancel");
    }
}

#[tokio::test]
async fn what_is_pending_or_captured_can_be_cancelled() {
    let sandbox = Sandbox::start().await;
    for (payment_type, outcome) in [("gopay", "pending"), ("credit_card", "capture")] {
        let order_id = with(&sandbox, payment_type, outcome).await;
        let cancelled = sandbox.midtrans.cancel(&order_id).await.unwrap();
        assert_eq!(cancelled.transaction_status, TransactionStatus::Cancel);
        let (_, told) = sandbox.core(Method::GET, &format!("/{order_id}/status"), "").await;
        assert_eq!((&told["status_code"], &told["transaction_status"]), (&json!("200"), &json!("cancel")));
    }
}

#[tokio::test]
async fn what_is_pending_can_be_expired_which_is_407() {
    let sandbox = Sandbox::start().await;
    let order_id = with(&sandbox, "qris", "pending").await;
    let (http, told) = sandbox.core(Method::POST, &format!("/{order_id}/expire"), "").await;
    assert_eq!((http, &told["status_code"]), (StatusCode::OK, &json!("407")));
    let (_, told) = sandbox.core(Method::GET, &format!("/{order_id}/status"), "").await;
    assert_eq!((&told["status_code"], &told["transaction_status"]), (&json!("407"), &json!("expire")));
}

#[tokio::test]
async fn what_cannot_be_changed_is_412() {
    let sandbox = Sandbox::start().await;
    let settled = with(&sandbox, "qris", "settlement").await;
    let captured = with(&sandbox, "credit_card", "capture").await;
    let midtrans = &sandbox.midtrans;
    for refused in [
        midtrans.cancel(&settled).await,
        midtrans.expire(&settled).await,
        midtrans.expire(&captured).await,
        midtrans.approve(&captured).await,
        midtrans.deny(&captured).await,
    ] {
        assert!(matches!(refused, Err(Error::CannotUpdate(_))), "{refused:?}");
    }
    let (http, body) = sandbox.core(Method::POST, &format!("/{settled}/cancel"), "").await;
    assert_eq!(http, StatusCode::OK);
    assert_eq!(body["status_message"], "Transaction status cannot be updated.");
}

#[tokio::test]
async fn amounts_and_codes_are_strings() {
    let sandbox = Sandbox::start().await;
    let order_id = with(&sandbox, "bank_transfer", "settlement").await;
    let (_, told) = sandbox.core(Method::GET, &format!("/{order_id}/status"), "").await;
    assert_eq!((&told["gross_amount"], &told["status_code"]), (&json!("10000.00"), &json!("200")));
    assert_eq!(told["va_numbers"][0]["bank"], "bca");
    assert_eq!(told["signature_key"].as_str().unwrap().len(), 128);
    assert!(told.get("refund_amount").is_none(), "what does not apply is left out");
}
