//! Paid is not the end: the money may still be taken back, with or without a notification.

use contracts::events::{PaymentRefunded, PaymentReversed, RefundCause, ReversalKind};
use contracts::grpc::payment::CancelOutcome;
use serde_json::{Value, json};

use crate::shop::{PRICE, Shop, undelivered};

/// The seconds until an attempt is asked about again.
async fn asked_again_in(shop: &Shop) -> i64 {
    shop.count("select extract(epoch from run_at - now())::bigint from jobs.queue where kind = 'poll'").await
}

#[tokio::test]
async fn a_capture_is_asked_about_every_hour_and_a_settlement_every_day() {
    let shop = Shop::start().await;
    let token = shop.paid(41, json!({})).await;
    assert!((3_500..=3_600).contains(&asked_again_in(&shop).await));
    shop.control("POST", &format!("transactions/{token}/settle"), Value::Null).await;
    shop.poll().await;
    assert!((86_300..=86_400).contains(&asked_again_in(&shop).await));
    shop.sql("update payments set paid_at = now() - interval '121 days'").await;
    shop.poll().await;
    assert_eq!(shop.count("select count(*) from jobs.queue where kind = 'poll'").await, 0);
}

#[tokio::test]
async fn a_chargeback_is_seen_without_a_notification() {
    let shop = Shop::start().await;
    let token = shop.paid(41, json!({ "payment_type": "gopay" })).await;
    shop.control("POST", &format!("transactions/{token}/chargeback"), Value::Null).await;
    shop.poll().await;
    assert_eq!(shop.status(41).await, "REVERSED");
    let reversed = shop.app.published::<PaymentReversed>().await;
    assert_eq!((reversed[0].kind, reversed[0].amount), (ReversalKind::Chargeback, PRICE));
    assert_eq!(shop.count("select count(*) from jobs.queue where kind = 'poll'").await, 0, "it is over");
}

#[tokio::test]
async fn a_cancel_on_the_dashboard_after_a_refused_one_of_ours_is_not_taken_for_ours() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    let paid = shop.pay(&token, json!({})).await;
    assert_eq!(shop.cancel(41).await, CancelOutcome::Paid, "the customer was faster");
    shop.cancel_at_midtrans(paid["transaction_id"].as_str().unwrap()).await;
    shop.poll().await;
    assert_eq!(shop.history(41).await, ["PENDING", "SUCCESS", "REVERSED"]);
    assert_eq!(shop.app.published::<PaymentReversed>().await.len(), 1);
}

#[tokio::test]
async fn an_undeliverable_order_does_not_wait_for_money_that_the_bank_took() {
    let shop = Shop::start().await;
    for (id, chargeback_first) in [(41, true), (42, false)] {
        let token = shop.paid(id, json!({ "payment_type": "gopay" })).await;
        if !chargeback_first {
            shop.deliver(undelivered(id)).await;
        }
        shop.control("POST", &format!("transactions/{token}/chargeback"), Value::Null).await;
        shop.poll().await;
        if chargeback_first {
            shop.deliver(undelivered(id)).await;
        }
        assert_eq!(shop.status(id).await, "REVERSED");
    }
    shop.make_refunds().await;
    let ended = shop.app.published::<PaymentRefunded>().await;
    let ended: Vec<_> = ended.iter().map(|event| (event.cause, event.amount, event.full)).collect();
    assert_eq!(ended, [(RefundCause::DeliveryFailed, 0, true); 2]);
}
