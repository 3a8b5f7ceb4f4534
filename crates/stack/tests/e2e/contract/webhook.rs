//! Midtrans' notifications, at both paths that take them.

use serde_json::{Value, json};
use sha2::{Digest, Sha512};

use super::payments::see;
use crate::harness::{Answer, NOBODY, Open};

pub async fn hold(open: &Open) {
    for path in ["/api/v1/payment/webhook", "/api/v1/webhook"] {
        a_forged_notification_is_refused(open, path).await;
        a_malformed_notification_is_refused(open, path).await;
        any_signed_notification_is_taken(open, path).await;
        a_signed_notification_is_not_believed(open, path).await;
    }
}

/// A notification as Midtrans would sign it.
pub fn signed(open: &Open, order: &str, amount: &str) -> Value {
    let key = open.shop.settings().get("MIDTRANS_SERVER_KEY");
    let signature = hex::encode(Sha512::digest(format!("{order}200{amount}{key}")));
    json!({"order_id": order, "transaction_id": format!("transaction of {order}"), "transaction_status": "settlement",
           "fraud_status": "accept", "status_code": "200", "gross_amount": amount, "signature_key": signature,
           "payment_type": "bank_transfer", "a_member_of_tomorrow": {"any": ["thing"]}})
}

async fn notify(open: &Open, path: &str, notification: Value) -> stack::api::Reply {
    open.ask(NOBODY, &format!("POST {path}"), notification).await
}

async fn a_forged_notification_is_refused(open: &Open, path: &str) {
    for (member, value) in
        [("order_id", "other"), ("gross_amount", "1.00"), ("status_code", "201"), ("signature_key", "00")]
    {
        let mut forged = signed(open, "forged", "20000.00");
        forged[member] = json!(value);
        notify(open, path, forged).await.refused(403, "wrong_signature");
    }
}

async fn a_malformed_notification_is_refused(open: &Open, path: &str) {
    for member in
        ["order_id", "transaction_id", "transaction_status", "status_code", "gross_amount", "signature_key"]
    {
        let mut malformed = signed(open, "malformed", "20000.00");
        malformed.as_object_mut().unwrap().remove(member);
        notify(open, path, malformed).await.invalid(member);
    }
    notify(open, path, json!([])).await.is(400);
}

async fn any_signed_notification_is_taken(open: &Open, path: &str) {
    // The second one is the test message of Midtrans' dashboard.
    for order in ["unknown-41-1-x", "payment_notif_test_G123456789_0b1c"] {
        for _ in 0..2 {
            let taken = notify(open, path, signed(open, order, "20000.00")).await.is(200);
            assert!(taken["status"].is_string(), "{taken}");
        }
    }
}

/// Only Midtrans' answer to a question counts.
async fn a_signed_notification_is_not_believed(open: &Open, path: &str) {
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let (order, token) = open.awaiting(&buyer, product).await;
    let known =
        open.ask(NOBODY, &format!("GET /midtrans/sandbox/transactions/{token}"), Value::Null).await.is(200);
    let id = known["order_id"].as_str().unwrap();
    notify(open, path, signed(open, id, "20000.00")).await.is(200);
    assert_eq!(see(open, &buyer.token, order).await["status"], "PENDING");
    assert_eq!(buyer.see_order(order).await.unwrap()["status"], "AWAITING_PAYMENT");
    open.bank.pay(&token).await.unwrap();
    buyer.wait_for(order, &["PAID"]).await.unwrap();
}
