//! Refunds that Midtrans cannot make: a person does, and enters the reference.

use contracts::events::{PaymentRefunded, RefundCause};
use serde_json::json;

use crate::shop::{PRICE, Shop, undelivered};

#[tokio::test]
async fn a_virtual_account_is_refunded_by_hand() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "bank_transfer" })).await;
    shop.deliver(undelivered(41)).await;
    shop.make_refunds().await;
    shop.make_refunds().await;
    assert_eq!(shop.payment(41).await["refunds"][0]["state"], "MANUAL");
    assert_eq!(shop.app.published::<PaymentRefunded>().await, []);

    shop.orders_are("PAID");
    let wrong = json!({ "method": "manual", "reference": "BCA 4711", "amount": PRICE + 1 });
    shop.refund(41, wrong).await.problem(409, "not_refundable");
    let closed = shop.refund(41, json!({ "method": "manual", "reference": "BCA 4711" })).await.expect(202);
    assert_eq!(closed["status"], "REFUNDED");
    let expected =
        json!([{ "cause": "delivery_failed", "amount": PRICE, "state": "DONE", "reference": "BCA 4711" }]);
    assert_eq!(closed["refunds"], expected);
    let events = shop.app.published::<PaymentRefunded>().await;
    assert_eq!((events.len(), events[0].cause, events[0].full), (1, RefundCause::DeliveryFailed, true));
    let again = json!({ "method": "manual", "reference": "BCA 4712" });
    shop.refund(41, again).await.problem(409, "not_refundable");
}

#[tokio::test]
async fn a_part_may_be_refunded_by_hand_without_a_request() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "gopay" })).await;
    let by_hand = json!({ "method": "manual", "reference": "cash, till 3", "amount": 10_000 });
    let payment = shop.refund(41, by_hand).await.expect(202);
    assert_eq!(
        (&payment["status"], &payment["refunded_amount"]),
        (&json!("PARTIALLY_REFUNDED"), &json!(10_000))
    );
    // Midtrans gives back the rest, and knows nothing of the part.
    shop.deliver(undelivered(41)).await;
    shop.make_refunds().await;
    assert_eq!(shop.status(41).await, "REFUNDED");
    assert_eq!(shop.payment(41).await["refunded_amount"], PRICE);
}

#[tokio::test]
async fn a_refund_by_hand_is_made_once_too() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "gopay" })).await;
    let path = "/api/v1/payment/41/refund";
    let by_hand = json!({ "method": "manual", "reference": "cash", "amount": 10_000 });
    for _ in 0..2 {
        let headers = [("idempotency-key", "till-3-0001")];
        let reply = shop.app.admin().send(reqwest::Method::POST, path, &headers, Some(by_hand.clone())).await;
        reply.expect(202);
    }
    assert_eq!(shop.payment(41).await["refunded_amount"], 10_000);
}

#[tokio::test]
async fn a_refund_by_hand_that_is_sent_twice_without_a_key_is_booked_once() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "bank_transfer" })).await;
    shop.refund(41, json!({ "amount": 50_000 })).await.expect(202);
    shop.make_refunds().await;
    let by_hand = json!({ "method": "manual", "reference": "BCA 4711" });
    shop.refund(41, by_hand.clone()).await.expect(202);
    shop.refund(41, by_hand.clone()).await.problem(409, "reference_used");
    let other = json!({ "method": "manual", "reference": "BCA 4712" });
    assert_eq!(shop.refund(41, other).await.problem(400, "invalid")["errors"][0]["field"], "amount");
    assert_eq!(shop.payment(41).await["refunded_amount"], 50_000);
}

#[tokio::test]
async fn the_last_refund_of_an_undelivered_order_says_that_it_is_the_last() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "bank_transfer" })).await;
    shop.refund(41, json!({ "amount": 50_000 })).await.expect(202);
    shop.deliver(undelivered(41)).await;
    shop.make_refunds().await;
    shop.make_refunds().await;
    // The administrator closes that of the delivery first.
    for (amount, reference) in [(PRICE - 50_000, "BCA 4711"), (50_000, "BCA 4712")] {
        let by_hand = json!({ "method": "manual", "reference": reference, "amount": amount });
        shop.refund(41, by_hand).await.expect(202);
    }
    assert_eq!(shop.status(41).await, "REFUNDED");
    let events = shop.app.published::<PaymentRefunded>().await;
    let published: Vec<_> = events.iter().map(|event| (event.cause, event.full)).collect();
    assert_eq!(published, [(RefundCause::DeliveryFailed, false), (RefundCause::DeliveryFailed, true)]);
}

#[tokio::test]
async fn an_order_that_was_refunded_before_it_could_not_be_delivered_is_told_so() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "gopay" })).await;
    shop.refund(41, json!({})).await.expect(202);
    shop.make_refunds().await;
    shop.deliver(undelivered(41)).await;
    let events = shop.app.published::<PaymentRefunded>().await;
    let published: Vec<_> = events.iter().map(|event| (event.cause, event.amount, event.full)).collect();
    assert_eq!(published, [(RefundCause::Admin, PRICE, true), (RefundCause::DeliveryFailed, 0, true)]);
}
