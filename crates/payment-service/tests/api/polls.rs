//! Open payments are asked about without any notification, until their end.

use contracts::events::{PaymentFailed, PaymentFailure, PaymentSuccess};
use payment_service::app::PollPayment;
use serde_json::json;

use crate::shop::Shop;

#[tokio::test]
async fn a_lost_notification_is_made_up_for() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    let due = "select count(*) from jobs.queue join payment_attempts on midtrans_order_id = key
        where kind = 'poll' and run_at between linked_at + interval '14 seconds' and linked_at + interval '16 seconds'";
    assert_eq!(shop.count(due).await, 1);
    assert_eq!(shop.run_due::<PollPayment>().await, 0, "not before its time");
    shop.poll().await;
    assert_eq!(shop.status(41).await, "PENDING", "no method is chosen yet");
    shop.pay(&token, json!({})).await;
    shop.poll().await;
    assert_eq!(shop.status(41).await, "SUCCESS");
    assert_eq!(shop.app.published::<PaymentSuccess>().await.len(), 1);
}

#[tokio::test]
async fn a_page_that_nobody_used_is_closed_at_its_end() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.run_out_of_time().await;
    assert_eq!(shop.history(41).await, ["PENDING", "FAILED"]);
    assert_eq!(shop.at_midtrans(&token).await["page"], "canceled");
    let failed = shop.app.published::<PaymentFailed>().await;
    assert_eq!(failed.iter().map(|event| event.reason).collect::<Vec<_>>(), [PaymentFailure::Expired]);
}

#[tokio::test]
async fn a_virtual_account_that_nobody_paid_is_closed_at_its_end() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({ "payment_type": "bank_transfer", "outcome": "pending" })).await;
    shop.run_out_of_time().await;
    assert_eq!(shop.status(41).await, "FAILED");
    assert_eq!(shop.at_midtrans(&token).await["transaction_status"], "cancel");
}

#[tokio::test]
async fn what_was_paid_in_the_last_moment_is_paid() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({ "payment_type": "gopay" })).await;
    shop.run_out_of_time().await;
    assert_eq!(shop.status(41).await, "SUCCESS");
}

#[tokio::test]
async fn nothing_ends_without_midtrans_word() {
    let shop = Shop::start().await;
    shop.page(41).await;
    shop.inject_faults(json!({ "down": true })).await;
    shop.run_out_of_time().await;
    assert_eq!(shop.status(41).await, "PENDING");
    assert_eq!(shop.count("select count(*) from jobs.queue where kind = 'poll' and run_at > now()").await, 1);
    shop.inject_faults(json!({})).await;
    shop.poll().await;
    assert_eq!(shop.status(41).await, "FAILED");
}

#[tokio::test]
async fn two_replicas_never_take_the_same_payment() {
    let shop = Shop::start().await;
    for id in 41..46 {
        shop.page(id).await;
    }
    shop.sql("update jobs.queue set run_at = now()").await;
    let (one, other) = tokio::join!(shop.run_due::<PollPayment>(), shop.run_due::<PollPayment>());
    assert_eq!(one + other, 5);
}
