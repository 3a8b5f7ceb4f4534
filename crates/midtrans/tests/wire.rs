//! What goes over the wire, seen from a scripted server.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail loudly")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use midtrans::{Client, Config, Error, Refund, SnapRequest, TransactionStatus};
use serde_json::{Value, json};

#[derive(Debug, Clone)]
struct Seen {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// A Midtrans that gives one fixed answer and remembers the last request.
struct Scripted {
    client: Client,
    seen: Arc<Mutex<Option<Seen>>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Scripted {
    async fn answering(status: u16, body: impl Into<String>) -> Self {
        let body = body.into();
        let seen = Arc::new(Mutex::new(None));
        let handler =
            async move |State(seen): State<Arc<Mutex<Option<Seen>>>>, method, uri: Uri, headers, sent| {
                let path = uri.path().to_owned();
                *seen.lock().unwrap() = Some(Seen { method, path, headers, body: sent });
                (StatusCode::from_u16(status).unwrap(), body.clone())
            };
        let app = Router::new().fallback(handler).with_state(Arc::clone(&seen));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/midtrans", listener.local_addr().unwrap());
        #[allow(clippy::disallowed_methods, reason = "the test's own server, aborted with the test")]
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let client = Client::new(Config::at(&base, "SB-Mid-server-abc123cde456".into())).unwrap();
        Self { client, seen, server }
    }

    fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone().expect("a request was made")
    }
}

fn transaction(status_code: &str, status: &str) -> String {
    json!({
        "status_code": status_code, "status_message": "Success", "transaction_id": "t-1", "order_id": "INV-1",
        "payment_type": "credit_card", "transaction_time": "2024-04-30 16:13:31", "transaction_status": status,
        "gross_amount": "10000.00", "fraud_status": "accept",
    })
    .to_string()
}

#[tokio::test]
async fn snap_create_sends_the_key_as_basic_auth_with_an_empty_password() {
    let midtrans = Scripted::answering(201, r#"{"token":"t","redirect_url":"https://pay.example/t"}"#).await;
    let page = midtrans.client.create_snap(&SnapRequest::new("INV-1", 10_000)).await.unwrap();
    assert_eq!((page.token.as_str(), page.redirect_url.as_str()), ("t", "https://pay.example/t"));
    let seen = midtrans.seen();
    assert_eq!((seen.method, seen.path.as_str()), (Method::POST, "/midtrans/snap/v1/transactions"));
    assert_eq!(seen.headers["authorization"], "Basic U0ItTWlkLXNlcnZlci1hYmMxMjNjZGU0NTY6");
    assert_eq!(seen.headers["accept"], "application/json");
    assert_eq!(seen.headers["content-type"], "application/json");
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(body["transaction_details"], json!({"order_id": "INV-1", "gross_amount": 10_000}));
}

#[tokio::test]
async fn status_asks_for_the_encoded_id() {
    let midtrans = Scripted::answering(200, transaction("200", "capture")).await;
    let transaction = midtrans.client.status("INV 1/2").await.unwrap();
    assert!(transaction.is_paid());
    let seen = midtrans.seen();
    assert_eq!((seen.method, seen.path.as_str()), (Method::GET, "/midtrans/v2/INV%201%2F2/status"));
}

#[tokio::test]
async fn each_action_has_its_path() {
    let midtrans = Scripted::answering(200, transaction("407", "expire")).await;
    let client = &midtrans.client;
    let expired = client.expire("INV-1").await.unwrap();
    assert_eq!(expired.transaction_status, TransactionStatus::Expire);
    assert_eq!(midtrans.seen().path, "/midtrans/v2/INV-1/expire");
    client.cancel("INV-1").await.unwrap();
    assert_eq!(midtrans.seen().path, "/midtrans/v2/INV-1/cancel");
    client.approve("INV-1").await.unwrap();
    assert_eq!(midtrans.seen().path, "/midtrans/v2/INV-1/approve");
    client.deny("INV-1").await.unwrap();
    assert_eq!(midtrans.seen().path, "/midtrans/v2/INV-1/deny");
    assert_eq!(midtrans.seen().method, Method::POST);
}

#[tokio::test]
async fn a_refund_carries_key_amount_and_reason() {
    let receipt = json!({
        "status_code": "200", "status_message": "Success, refund request is approved", "transaction_id": "t-1",
        "order_id": "INV-1", "payment_type": "gopay", "transaction_time": "2024-04-30 16:13:31",
        "transaction_status": "partial_refund", "gross_amount": "10000.00", "refund_chargeback_id": 1,
        "refund_amount": "5000.00", "refund_key": "r-1",
    });
    let midtrans = Scripted::answering(200, receipt.to_string()).await;
    let refund = Refund { key: "r-1".into(), amount: 5_000, reason: "broken".into() };
    let receipt = midtrans.client.refund("INV-1", &refund).await.unwrap();
    assert_eq!(receipt.refund_amount, Some(5_000));
    assert_eq!(receipt.transaction_status, TransactionStatus::PartialRefund);
    let body: Value = serde_json::from_slice(&midtrans.seen().body).unwrap();
    assert_eq!(body, json!({"refund_key": "r-1", "amount": 5_000, "reason": "broken"}));
}

#[tokio::test]
async fn a_refund_the_bank_denies_is_no_success() {
    let denied = json!({"status_code": "202", "status_message": "Refund denied by the bank",
        "transaction_id": "t-1", "transaction_status": "settlement", "refund_amount": "0.00"});
    let midtrans = Scripted::answering(200, denied.to_string()).await;
    let refund = Refund { key: "r-1".into(), amount: 5_000, reason: String::new() };
    let error = midtrans.client.refund("INV-1", &refund).await.unwrap_err();
    assert!(matches!(error, Error::RefundRejected(_)), "{error}");
}

#[tokio::test]
async fn cancelling_a_token_goes_by_the_text_of_the_answer() {
    let midtrans = Scripted::answering(200, r#"{"canceled_at":"2025-06-03T13:09:39.776Z"}"#).await;
    midtrans.client.cancel_snap_token("tok").await.unwrap();
    assert_eq!(midtrans.seen().path, "/midtrans/snap/v1/transactions/tok/cancel");

    let answer = async |text: &str| {
        let body = json!({"error_messages": [text]}).to_string();
        Scripted::answering(400, body).await.client.cancel_snap_token("tok").await
    };
    assert!(answer("token already canceled").await.is_ok());
    assert!(matches!(answer("Transaction is on progress").await, Err(Error::CannotUpdate(_))));
    assert!(matches!(answer("token not found").await, Err(Error::NotFound(_))));
    assert!(matches!(answer("something else").await, Err(Error::Rejected { .. })));
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_key() {
    let midtrans = Scripted::answering(302, "").await;
    assert!(matches!(midtrans.client.status("INV-1").await, Err(Error::Unavailable { .. })));
}

#[tokio::test]
async fn nobody_listening_is_unavailable_and_worth_a_retry() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(Config::at(&base, "key".into())).unwrap();
    assert!(client.status("INV-1").await.unwrap_err().is_retryable());
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let config = Config { timeout: Duration::from_millis(50), ..Config::at(&base, "key".into()) };
    let error = Client::new(config).unwrap().status("INV-1").await.unwrap_err();
    assert!(matches!(&error, Error::Unavailable { reason, .. } if reason == "no answer in time"), "{error}");
}
