//! The service as it runs: workers, consumer and relay together.

use contracts::events::{Event, PaymentRefunded, PaymentSuccess};
use redis::AsyncCommands;
use serde_json::json;
use testkit::eventually;

use crate::shop::{PRICE, Shop, undelivered};

#[tokio::test]
async fn a_payment_and_its_refund_reach_the_streams_by_themselves() {
    let shop = Shop::start().await;
    shop.app.start_background().await;
    let mut redis = shop.app.redis_client(1).get_multiplexed_async_connection().await.unwrap();
    let token = shop.page(41).await;
    shop.pay(&token, json!({ "payment_type": "gopay", "notify": {} })).await;
    eventually("PaymentSuccess is on its stream", async || {
        let length: i64 = redis.clone().xlen(PaymentSuccess::STREAM.name).await.unwrap();
        (length == 1).then_some(())
    })
    .await;
    shop.deliver(undelivered(41)).await;
    eventually("PaymentRefunded is on its stream", async || {
        let length: i64 = redis.xlen(PaymentRefunded::STREAM.name).await.unwrap();
        (length == 1).then_some(())
    })
    .await;
    let payment = shop.payment(41).await;
    assert_eq!((&payment["status"], &payment["refunded_amount"]), (&json!("REFUNDED"), &json!(PRICE)));
}
