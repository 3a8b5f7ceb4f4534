//! How money goes back through Midtrans.

use contracts::events::{PaymentRefunded, RefundCause};
use payment_service::app::MakeRefund;
use serde_json::json;

use crate::shop::{PRICE, Shop, undelivered};

#[tokio::test]
async fn a_captured_card_is_called_off() {
    let shop = Shop::start().await;
    let token = shop.paid(41, json!({ "outcome": "capture" })).await;
    shop.deliver(undelivered(41)).await;
    shop.make_refunds().await;
    assert_eq!(shop.at_midtrans(&token).await["transaction_status"], "cancel");
    assert_eq!(shop.history(41).await, ["PENDING", "SUCCESS", "REFUNDED"]);
    // The cancel is also notified, later: it must not look like somebody else's.
    shop.handle_notifications(1).await;
    assert_eq!(shop.status(41).await, "REFUNDED");
    assert_eq!(shop.app.published::<PaymentRefunded>().await.len(), 1);
}

#[tokio::test]
async fn a_part_of_a_captured_card_waits_until_it_settles() {
    let shop = Shop::start().await;
    let token = shop.paid(41, json!({ "outcome": "capture" })).await;
    shop.refund(41, json!({ "amount": 1_000 })).await.expect(202);
    shop.make_refunds().await;
    assert_eq!(shop.payment(41).await["refunds"][0]["state"], "REQUESTED");
    assert_eq!(shop.at_midtrans(&token).await["transaction_status"], "capture");
    shop.control("POST", &format!("transactions/{token}/settle"), json!({})).await;
    shop.make_refunds().await;
    assert_eq!(shop.status(41).await, "PARTIALLY_REFUNDED");
    assert_eq!(shop.at_midtrans(&token).await["refund_amount"], "1000.00");
}

#[tokio::test]
async fn a_settlement_lets_a_part_of_a_card_payment_be_refunded() {
    let shop = Shop::start().await;
    let token = shop.paid(41, json!({ "outcome": "capture" })).await;
    shop.refund(41, json!({ "amount": 1_000 })).await.expect(202);
    shop.make_refunds().await;
    shop.control("POST", &format!("transactions/{token}/settle"), json!({})).await;
    shop.handle_notifications(1).await;
    assert_eq!(shop.run_due::<MakeRefund>().await, 1, "it is due");
    assert_eq!(shop.status(41).await, "PARTIALLY_REFUNDED");
    // The same notification once more changes nothing.
    shop.enqueue_notifications().await;
    shop.handle_notifications(1).await;
    assert_eq!(shop.run_due::<MakeRefund>().await, 0);
}

#[tokio::test]
async fn a_settlement_is_not_lost_on_a_replica_that_observed_the_capture_before() {
    let shop = Shop::start().await;
    let token = shop.paid(41, json!({ "outcome": "capture" })).await;
    shop.refund(41, json!({ "amount": 1_000 })).await.expect(202);
    let mut busy = shop.pool().begin().await.unwrap();
    sqlx::query("select from payments for update").execute(&mut *busy).await.unwrap();
    let settles = async {
        // It has found the card captured, and will put the refund off for ten minutes.
        shop.until_blocked(1).await;
        shop.control("POST", &format!("transactions/{token}/settle"), json!({})).await;
        let goes_on = async {
            shop.until_blocked(2).await;
            busy.commit().await.unwrap();
        };
        tokio::join!(shop.handle_notifications(1), goes_on);
    };
    tokio::join!(shop.run_due::<MakeRefund>(), settles);
    assert_eq!(shop.run_due::<MakeRefund>().await, 1, "it is still due");
    assert_eq!(shop.status(41).await, "PARTIALLY_REFUNDED");
}

#[tokio::test]
async fn a_refund_survives_a_midtrans_that_is_away() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "gopay" })).await;
    shop.deliver(undelivered(41)).await;
    shop.inject_faults(json!({ "down": true })).await;
    shop.make_refunds().await;
    assert_eq!(
        shop.count("select count(*) from jobs.queue where kind = 'refund' and run_at > now()").await,
        1
    );
    shop.inject_faults(json!({})).await;
    shop.make_refunds().await;
    assert_eq!(shop.status(41).await, "REFUNDED");
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_made_once() {
    let shop = Shop::start().await;
    let token = shop.paid(41, json!({ "payment_type": "gopay" })).await;
    shop.refund(41, json!({ "amount": 1_000 })).await.expect(202);
    shop.make_refunds().await;
    // As after a crash between Midtrans' answer and our commit.
    shop.sql("update refunds set state = 'SENT'").await;
    shop.sql("update payments set status = 'SUCCESS', refunded_amount = 0").await;
    shop.sql("insert into jobs.queue (kind, key) select 'refund', id::text from refunds").await;
    shop.make_refunds().await;
    assert_eq!(shop.status(41).await, "PARTIALLY_REFUNDED");
    assert_eq!(shop.at_midtrans(&token).await["refund_amount"], "1000.00");
    assert_eq!(shop.payment(41).await["refunded_amount"], 1_000);
}

#[tokio::test]
async fn a_refund_on_the_dashboard_is_booked_too() {
    let shop = Shop::start().await;
    let token = shop.paid(41, json!({ "payment_type": "gopay" })).await;
    let id = shop.at_midtrans(&token).await["order_id"].as_str().unwrap().to_owned();
    shop.refund_at_midtrans(&id, 30_000).await;
    shop.handle_notifications(1).await;
    shop.handle_notifications(1).await;
    assert_eq!(shop.status(41).await, "PARTIALLY_REFUNDED");
    let events = shop.app.published::<PaymentRefunded>().await;
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].cause, events[0].amount, events[0].full), (RefundCause::Admin, 30_000, false));
    shop.refund(41, json!({ "amount": PRICE })).await.problem(409, "not_refundable");
}

#[tokio::test]
async fn what_was_taken_back_meanwhile_is_not_refunded() {
    let shop = Shop::start().await;
    let token = shop.paid(41, json!({ "outcome": "settlement" })).await;
    shop.deliver(undelivered(41)).await;
    shop.control("POST", &format!("transactions/{token}/chargeback"), json!({})).await;
    shop.make_refunds().await;
    assert_eq!(shop.status(41).await, "REVERSED");
    assert_eq!(shop.payment(41).await["refunds"][0]["state"], "REFUSED");
    let ended = shop.app.published::<PaymentRefunded>().await;
    assert_eq!(
        ended.iter().map(|event| event.amount).collect::<Vec<_>>(),
        [0],
        "the order waits for nothing more"
    );
}
