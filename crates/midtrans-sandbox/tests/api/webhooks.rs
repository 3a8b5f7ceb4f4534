use midtrans::TransactionStatus;
use reqwest::Method;
use serde_json::{Value, json};

use crate::merchant::{Merchant, Received};
use crate::sandbox::{KEY, Sandbox, eventually, order_id};

/// A settled payment, told to the merchant in this way.
async fn paid(sandbox: &Sandbox, notify: Value) -> String {
    let order_id = order_id();
    let token = sandbox.page(&order_id, 10_000).await.token;
    sandbox.pay(json!({"token": token, "payment_type": "bank_transfer", "notify": notify})).await;
    order_id
}

/// Waits until nothing more is on its way for the order.
async fn all_sent(sandbox: &Sandbox, order_id: &str) {
    eventually(async || (sandbox.show(order_id).await["notifications_pending"] == 0).then_some(())).await;
}

fn statuses(received: &[Received]) -> Vec<String> {
    received.iter().map(Received::status).collect()
}

#[tokio::test]
async fn a_payment_is_told_to_the_merchant_signed_and_as_midtrans_words_it() {
    let merchant = Merchant::start().await;
    let sandbox = Sandbox::notifying(&merchant.url).await;
    let order_id = paid(&sandbox, json!({})).await;
    let received = merchant.wait_for(1).await.remove(0);
    assert!(received.is_genuine());
    let notification = received.parsed();
    assert_eq!(notification.status_code, "200");
    assert_eq!(notification.transaction.order_id, order_id);
    assert_eq!(notification.transaction.transaction_status, TransactionStatus::Settlement);
    assert_eq!(notification.transaction.gross_amount, 10_000);
    assert_eq!(received.json()["status_message"], "midtrans payment notification");
    assert_eq!(received.headers["content-type"], "application/json");
    assert_eq!(received.headers["user-agent"], "Veritrans");
}

#[tokio::test]
async fn the_members_come_in_reverse_alphabetical_order() {
    let merchant = Merchant::start().await;
    let sandbox = Sandbox::notifying(&merchant.url).await;
    paid(&sandbox, json!({})).await;
    let body = String::from_utf8(merchant.wait_for(1).await.remove(0).body.to_vec()).unwrap();
    let members = [
        "va_numbers",
        "transaction_time",
        "transaction_status",
        "status_code",
        "signature_key",
        "order_id",
        "gross_amount",
        "currency",
    ];
    let places: Vec<_> = members.iter().map(|member| body.find(&format!("\"{member}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{body}");
}

#[tokio::test]
async fn each_step_has_its_own_notification() {
    let merchant = Merchant::start().await;
    let sandbox = Sandbox::notifying(&merchant.url).await;
    let order_id = order_id();
    let token = sandbox.page(&order_id, 10_000).await.token;
    sandbox.pay(json!({"token": token})).await;
    assert_eq!(statuses(&merchant.wait_for(1).await), ["capture"]);
    sandbox.midtrans.cancel(&order_id).await.unwrap();
    let received = merchant.wait_for(2).await;
    assert_eq!(received[1].status(), "cancel");
    assert_eq!(received[1].parsed().status_code, "202", "GET status says 200");
}

#[tokio::test]
async fn a_notification_can_be_lost_and_the_next_one_still_arrives() {
    let merchant = Merchant::start().await;
    let sandbox = Sandbox::notifying(&merchant.url).await;
    let order_id = paid(&sandbox, json!({"drop": true})).await;
    assert_eq!(sandbox.show(&order_id).await["notifications_pending"], 0);
    sandbox.post(&format!("/transactions/{order_id}/chargeback"), Value::Null).await;
    all_sent(&sandbox, &order_id).await;
    assert_eq!(statuses(&merchant.received()), ["chargeback"]);
}

#[tokio::test]
async fn a_notification_can_be_sent_several_times() {
    let merchant = Merchant::start().await;
    let sandbox = Sandbox::notifying(&merchant.url).await;
    let order_id = paid(&sandbox, json!({"times": 3})).await;
    all_sent(&sandbox, &order_id).await;
    let received = merchant.received();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|notification| notification.body == received[0].body));
}

#[tokio::test]
async fn a_notification_can_be_forged() {
    let merchant = Merchant::start().await;
    let sandbox = Sandbox::notifying(&merchant.url).await;
    paid(&sandbox, json!({"forge": true})).await;
    assert!(!merchant.wait_for(1).await[0].is_genuine());
}

#[tokio::test]
async fn a_notification_can_claim_another_amount_than_get_status() {
    let merchant = Merchant::start().await;
    let sandbox = Sandbox::notifying(&merchant.url).await;
    let order_id = paid(&sandbox, json!({"gross_amount": 1})).await;
    let received = merchant.wait_for(1).await.remove(0);
    assert!(received.is_genuine(), "the signature is right for what it claims");
    assert_eq!(received.parsed().transaction.gross_amount, 1);
    assert_eq!(sandbox.status(&order_id).await.gross_amount, 10_000);
}

#[tokio::test]
async fn notifications_can_arrive_out_of_order() {
    let merchant = Merchant::start().await;
    let sandbox = Sandbox::notifying(&merchant.url).await;
    let order_id = order_id();
    let token = sandbox.page(&order_id, 10_000).await.token;
    let late = json!({"delay_ms": 1_500});
    sandbox.pay(json!({"token": token, "payment_type": "qris", "outcome": "pending", "notify": late})).await;
    sandbox.pay(json!({"token": token})).await;
    assert_eq!(statuses(&merchant.wait_for(2).await), ["settlement", "pending"]);
}

#[tokio::test]
async fn a_merchant_who_is_busy_is_asked_four_times_more() {
    let merchant = Merchant::answering([503; 9]).await;
    let sandbox = Sandbox::notifying(&merchant.url).await;
    let order_id = paid(&sandbox, json!({})).await;
    all_sent(&sandbox, &order_id).await;
    assert_eq!(merchant.received().len(), 5);
}

#[tokio::test]
async fn a_merchant_who_recovers_gets_it() {
    let merchant = Merchant::answering([503, 503]).await;
    let sandbox = Sandbox::notifying(&merchant.url).await;
    let order_id = paid(&sandbox, json!({})).await;
    all_sent(&sandbox, &order_id).await;
    assert_eq!(merchant.received().len(), 3);
}

#[tokio::test]
async fn a_merchant_who_breaks_or_sends_elsewhere_is_asked_less() {
    for (status, tries) in [(500, 2), (404, 3), (403, 6), (302, 1)] {
        let merchant = Merchant::answering([status; 9]).await;
        let sandbox = Sandbox::notifying(&merchant.url).await;
        let order_id = paid(&sandbox, json!({})).await;
        all_sent(&sandbox, &order_id).await;
        assert_eq!(merchant.received().len(), tries, "{status}");
    }
}

#[tokio::test]
async fn a_permanent_redirect_is_followed_with_the_same_body() {
    for status in [307, 308] {
        let merchant = Merchant::start().await;
        merchant.redirect_once(status, "/moved");
        let sandbox = Sandbox::notifying(&merchant.url).await;
        paid(&sandbox, json!({})).await;
        let received = merchant.wait_for(2).await;
        assert_eq!([&received[0].path, &received[1].path], ["/webhook", "/moved"]);
        assert_eq!(received[0].body, received[1].body);
    }
}

#[tokio::test]
async fn the_merchant_may_name_other_addresses() {
    for (header, told_usual) in [("X-Override-Notification", false), ("X-Append-Notification", true)] {
        let (usual, other) = (Merchant::start().await, Merchant::start().await);
        let sandbox = Sandbox::notifying(&usual.url).await;
        let order_id = order_id();
        let details = json!({"transaction_details": {"order_id": order_id, "gross_amount": 10_000}});
        let request = sandbox.http.request(Method::POST, format!("{}/snap/v1/transactions", sandbox.base));
        let request = request.basic_auth(KEY, Some("")).header(header, &other.url).json(&details);
        let page: Value = request.send().await.unwrap().json().await.unwrap();
        sandbox.pay(json!({"token": page["token"]})).await;
        all_sent(&sandbox, &order_id).await;
        assert_eq!(other.received().len(), 1, "{header}");
        assert_eq!(usual.received().len(), usize::from(told_usual), "{header}");
    }
}
