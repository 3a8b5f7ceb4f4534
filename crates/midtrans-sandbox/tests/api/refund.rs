use midtrans::{Error, Refund, TransactionStatus};
use reqwest::Method;
use serde_json::{Value, json};

use crate::merchant::Merchant;
use crate::sandbox::{Sandbox, order_id};

async fn settled(sandbox: &Sandbox, payment_type: &str) -> String {
    let order_id = order_id();
    let token = sandbox.page(&order_id, 10_000).await.token;
    let quietly = json!({"drop": true});
    sandbox
        .pay(
            json!({"token": token, "payment_type": payment_type, "outcome": "settlement", "notify": quietly}),
        )
        .await;
    order_id
}

fn refund(key: &str, amount: i64) -> Refund {
    Refund { key: key.to_owned(), amount, reason: "broken".to_owned() }
}

#[tokio::test]
async fn refunds_in_part_add_up_to_a_full_one() {
    let sandbox = Sandbox::start().await;
    let order_id = settled(&sandbox, "qris").await;
    let first = sandbox.midtrans.refund(&order_id, &refund("r-1", 4_000)).await.unwrap();
    assert_eq!(
        (first.transaction_status, first.refund_amount),
        (TransactionStatus::PartialRefund, Some(4_000))
    );
    let second = sandbox.midtrans.refund(&order_id, &refund("r-2", 6_000)).await.unwrap();
    assert_eq!((second.transaction_status, second.refund_amount), (TransactionStatus::Refund, Some(6_000)));
    let transaction = sandbox.status(&order_id).await;
    assert_eq!(transaction.refund_amount, Some(10_000));
    let keys: Vec<_> =
        transaction.refunds.iter().map(|refund| refund.refund_key.as_deref().unwrap()).collect();
    assert_eq!(keys, ["r-1", "r-2"]);
}

#[tokio::test]
async fn a_settled_card_can_be_refunded() {
    let sandbox = Sandbox::start().await;
    let order_id = settled(&sandbox, "credit_card").await;
    let receipt = sandbox.midtrans.refund(&order_id, &refund("r-1", 10_000)).await.unwrap();
    assert_eq!(receipt.transaction_status, TransactionStatus::Refund);
}

#[tokio::test]
async fn the_same_key_is_a_conflict_and_refunds_nothing_more() {
    let sandbox = Sandbox::start().await;
    let order_id = settled(&sandbox, "gopay").await;
    sandbox.midtrans.refund(&order_id, &refund("r-1", 4_000)).await.unwrap();
    let again = sandbox.midtrans.refund(&order_id, &refund("r-1", 4_000)).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    assert_eq!(sandbox.status(&order_id).await.refund_amount, Some(4_000));
}

#[tokio::test]
async fn more_than_is_left_is_refused() {
    let sandbox = Sandbox::start().await;
    let order_id = settled(&sandbox, "gopay").await;
    sandbox.midtrans.refund(&order_id, &refund("r-1", 4_000)).await.unwrap();
    for amount in [6_001, 0, -1] {
        let refused = sandbox.midtrans.refund(&order_id, &refund("r-2", amount)).await;
        assert!(matches!(refused, Err(Error::RefundRejected(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn what_was_paid_into_an_account_or_at_a_till_is_not_refundable() {
    let sandbox = Sandbox::start().await;
    for payment_type in ["bank_transfer", "echannel", "cstore"] {
        let order_id = settled(&sandbox, payment_type).await;
        let refused = sandbox.midtrans.refund(&order_id, &refund("r-1", 10_000)).await;
        assert!(matches!(refused, Err(Error::CannotUpdate(_))), "{payment_type}: {refused:?}");
    }
}

#[tokio::test]
async fn a_captured_card_is_cancelled_and_not_refunded() {
    let sandbox = Sandbox::start().await;
    let order_id = order_id();
    let token = sandbox.page(&order_id, 10_000).await.token;
    sandbox.pay(json!({"token": token})).await;
    for path in ["refund", "refund/online/direct"] {
        let (_, told) = sandbox.core(Method::POST, &format!("/{order_id}/{path}"), "{}").await;
        assert_eq!(told["status_code"], "412");
    }
    let settle = format!("/transactions/{order_id}/settle");
    sandbox.post(&settle, Value::Null).await;
    let (_, told) = sandbox.core(Method::POST, &format!("/{order_id}/refund/online/direct"), "").await;
    assert_eq!(told["status_message"], "Success, refund request is approved by the bank");
    assert_eq!((&told["refund_amount"], &told["refund_chargeback_id"]), (&json!("10000.00"), &json!(1)));
}

#[tokio::test]
async fn the_merchant_is_notified_of_a_refund_twice() {
    let merchant = Merchant::start().await;
    let sandbox = Sandbox::notifying(&merchant.url).await;
    let order_id = settled(&sandbox, "qris").await;
    sandbox.midtrans.refund(&order_id, &refund("r-1", 4_000)).await.unwrap();
    let received = merchant.wait_for(2).await;
    let mut confirmed = Vec::new();
    for notification in &received {
        assert!(notification.is_genuine());
        let parsed = notification.parsed().transaction;
        assert_eq!(parsed.transaction_status, TransactionStatus::PartialRefund);
        assert_eq!(parsed.refund_amount, Some(4_000));
        confirmed.push(parsed.refunds[0].bank_confirmed_at.is_some());
    }
    assert_eq!(confirmed, [false, true]);
}
