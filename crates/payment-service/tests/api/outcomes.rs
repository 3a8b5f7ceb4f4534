//! How payments come out, as GET status shows it: T2 through the edges.

use contracts::events::{
    PaymentFailed, PaymentFailure, PaymentReversed, PaymentSuccess, RefundCause, ReversalKind,
};
use contracts::grpc::payment::CancelOutcome;
use serde_json::json;

use crate::shop::{PRICE, Shop};

#[tokio::test]
async fn a_denied_card_is_not_the_end() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    let denied = shop.pay(&token, json!({ "card_number": "4911111111111113", "notify": {} })).await;
    assert_eq!(denied["transaction_status"], "deny");
    shop.handle_notifications(1).await;
    assert_eq!(shop.status(41).await, "PENDING");

    shop.pay(&token, json!({ "card_number": "4811111111111114", "notify": {} })).await;
    shop.handle_notifications(2).await;
    assert_eq!(shop.history(41).await, ["PENDING", "SUCCESS"]);
    // The notification about the first card once more: it must not look like the money was taken back.
    shop.enqueue_notifications().await;
    shop.handle_notifications(2).await;
    assert_eq!(shop.status(41).await, "SUCCESS");
    let paid = shop.app.published::<PaymentSuccess>().await;
    assert_eq!(paid.len(), 1);
    assert_eq!((paid[0].amount, paid[0].payment_type.as_str()), (PRICE, "credit_card"));
}

#[tokio::test]
async fn a_capture_and_its_settlement_are_one_payment() {
    let shop = Shop::start().await;
    let token = shop.paid(41, json!({ "outcome": "capture" })).await;
    shop.control("POST", &format!("transactions/{token}/settle"), json!({})).await;
    shop.handle_notifications(1).await;
    assert_eq!(shop.history(41).await, ["PENDING", "SUCCESS"]);
    assert_eq!(shop.app.published::<PaymentSuccess>().await.len(), 1);
}

#[tokio::test]
async fn what_midtrans_answers_belongs_to_the_trace_of_the_purchase() {
    let shop = Shop::start().await;
    shop.paid(41, json!({})).await;
    let traced = "select count(*) from messaging.outbox where fields ->> 'correlation_id' = 'test'";
    assert_eq!(shop.count(traced).await, 1, "the correlation id of OrderCreated");
}

#[tokio::test]
async fn a_challenge_waits_for_its_decision() {
    let shop = Shop::start().await;
    for (id, decision, end) in [(41, "accept", "SUCCESS"), (42, "deny", "FAILED")] {
        let token = shop.page(id).await;
        shop.pay(&token, json!({ "card_number": "4511111111111117" })).await;
        shop.poll().await;
        assert_eq!(shop.status(id).await, "CHALLENGE");
        shop.control("POST", &format!("transactions/{token}/challenge/{decision}"), json!({})).await;
        shop.poll().await;
        assert_eq!(shop.history(id).await, ["PENDING", "CHALLENGE", end]);
    }
    let failed = shop.app.published::<PaymentFailed>().await;
    assert_eq!(failed.iter().map(|event| event.reason).collect::<Vec<_>>(), [PaymentFailure::Denied]);
}

#[tokio::test]
async fn a_challenge_that_nobody_decides_ends_with_its_time() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({ "outcome": "challenge" })).await;
    shop.poll().await;
    shop.run_out_of_time().await;
    assert_eq!(shop.history(41).await, ["PENDING", "CHALLENGE", "CANCELLED"]);
    assert_eq!(shop.at_midtrans(&token).await["transaction_status"], "cancel");
    assert_eq!(shop.app.published::<PaymentFailed>().await[0].reason, PaymentFailure::Cancelled);
}

#[tokio::test]
async fn what_ends_at_midtrans_fails_here() {
    let shop = Shop::start().await;
    for (id, outcome, reason) in
        [(41, "expire", PaymentFailure::Expired), (42, "cancel", PaymentFailure::Cancelled)]
    {
        let token = shop.page(id).await;
        shop.pay(&token, json!({ "payment_type": "qris", "outcome": outcome, "notify": {} })).await;
        shop.handle_notifications(id - 40).await;
        assert_eq!(shop.history(id).await, ["PENDING", "FAILED"]);
        assert_eq!(shop.app.published::<PaymentFailed>().await.last().unwrap().reason, reason);
    }
}

#[tokio::test]
async fn money_that_comes_after_the_end_goes_back() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({ "payment_type": "bank_transfer", "outcome": "expire" })).await;
    shop.poll().await;
    assert_eq!(shop.status(41).await, "FAILED");
    shop.control("POST", &format!("transactions/{token}/settle"), json!({})).await;
    shop.handle_notifications(1).await;
    assert_eq!(shop.history(41).await, ["PENDING", "FAILED", "SUCCESS"]);
    assert_eq!(shop.app.published::<PaymentSuccess>().await, []);
    shop.make_refunds().await;
    let refunds = &shop.payment(41).await["refunds"];
    assert_eq!(*refunds, json!([{ "cause": RefundCause::Late, "amount": PRICE, "state": "MANUAL" }]));
    // To the order it was never paid.
    assert_eq!(shop.cancel(41).await, CancelOutcome::Cancelled);
    assert_eq!(shop.app.published::<PaymentSuccess>().await, []);
}

#[tokio::test]
async fn money_that_is_taken_back_is_an_alarm() {
    let shop = Shop::start().await;
    for (id, event, kind) in
        [(41, "chargeback", ReversalKind::Chargeback), (42, "reverse", ReversalKind::DeniedAfterSettlement)]
    {
        let token = shop.paid(id, json!({ "outcome": "settlement" })).await;
        shop.control("POST", &format!("transactions/{token}/{event}"), json!({})).await;
        shop.handle_notifications(id - 40).await;
        assert_eq!(shop.history(id).await, ["PENDING", "SUCCESS", "REVERSED"]);
        let reversed = shop.app.published::<PaymentReversed>().await;
        let last = reversed.last().unwrap();
        assert_eq!((last.kind, last.amount), (kind, PRICE));
    }
    shop.refund(41, json!({})).await.problem(409, "not_refundable");
}

#[tokio::test]
async fn another_amount_than_asked_for_is_not_paid() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({ "gross_amount": PRICE - 1, "notify": { "gross_amount": PRICE } })).await;
    shop.handle_notifications(1).await;
    assert_eq!(shop.history(41).await, ["PENDING", "REVIEW"]);
    assert_eq!(shop.app.published::<PaymentSuccess>().await, []);
    assert!(shop.payment(41).await.get("paid_at").is_none());
    shop.run_out_of_time().await;
    assert_eq!(shop.status(41).await, "REVIEW", "an administrator decides, not the clock");
}
