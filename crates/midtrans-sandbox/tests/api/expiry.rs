use std::time::Duration;

use midtrans::{Error, ExpiryUnit, PageExpiry, SnapRequest, TransactionStatus};
use reqwest::{Method, StatusCode};
use serde_json::json;
use time::OffsetDateTime;

use crate::merchant::Merchant;
use crate::sandbox::{Sandbox, eventually, order_id};

/// Ends in a moment: the shortest expiry is 20 seconds, so it has begun a while ago.
fn ending_soon(order_id: &str) -> SnapRequest {
    let begun = OffsetDateTime::now_utc() - Duration::from_secs(55);
    let request = SnapRequest::new(order_id, 10_000).expires(begun, Duration::from_mins(1));
    // The page alone stays open.
    SnapRequest { page_expiry: None, ..request }
}

#[tokio::test]
async fn a_chosen_method_expires_by_itself_and_the_merchant_is_notified() {
    let merchant = Merchant::start().await;
    let sandbox = Sandbox::notifying(&merchant.url).await;
    let order_id = order_id();
    let page = sandbox.midtrans.create_snap(&ending_soon(&order_id)).await.unwrap();
    let pending = json!({"token": page.token, "payment_type": "bank_transfer", "outcome": "pending"});
    sandbox.pay(pending).await;
    let received = merchant.wait_for(2).await;
    let expired = received.last().unwrap();
    assert_eq!((expired.status().as_str(), expired.parsed().status_code.as_str()), ("expire", "202"));
    assert!(expired.is_genuine());
    assert_eq!(sandbox.status(&order_id).await.transaction_status, TransactionStatus::Expire);
}

#[tokio::test]
async fn a_page_nobody_used_expires_without_a_word() {
    let merchant = Merchant::start().await;
    let sandbox = Sandbox::notifying(&merchant.url).await;
    let order_id = order_id();
    let expiry = Some(PageExpiry { unit: ExpiryUnit::Second, duration: 1 });
    let request = SnapRequest { page_expiry: expiry, ..SnapRequest::new(&order_id, 10_000) };
    let page = sandbox.midtrans.create_snap(&request).await.unwrap();
    eventually(async || (sandbox.show(&page.token).await["page"] == "expired").then_some(())).await;
    let (status, _) = sandbox.control(Method::POST, "/pay", json!({"token": page.token})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(matches!(sandbox.midtrans.status(&order_id).await, Err(Error::NotFound(_))));
    assert!(merchant.received().is_empty());
    assert_eq!(sandbox.show(&page.token).await["notifications_pending"], 0);
}

#[tokio::test]
async fn a_payment_in_time_does_not_expire() {
    let sandbox = Sandbox::start().await;
    let (paid, waiting) = (order_id(), order_id());
    for (order_id, outcome) in [(&paid, "settlement"), (&waiting, "pending")] {
        let page = sandbox.midtrans.create_snap(&ending_soon(order_id)).await.unwrap();
        sandbox.pay(json!({"token": page.token, "payment_type": "gopay", "outcome": outcome})).await;
    }
    let expired = TransactionStatus::Expire;
    eventually(async || (sandbox.status(&waiting).await.transaction_status == expired).then_some(())).await;
    assert_eq!(sandbox.status(&paid).await.transaction_status, TransactionStatus::Settlement);
}
