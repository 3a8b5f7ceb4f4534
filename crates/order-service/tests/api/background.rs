//! Relay, consumer and workers as they run in production, over a real Redis.

use contracts::events::{Event, OrderCreated, StockReserved};
use testkit::{envelope, eventually};

use crate::shop::Shop;

#[tokio::test]
async fn an_order_is_published_over_redis_and_the_answer_is_consumed() {
    let shop = Shop::open().await;
    shop.app.start_background().await;
    let id = shop.place().await;
    let mut redis = shop.app.redis_client(1).get_multiplexed_async_connection().await.unwrap();
    let published = eventually("OrderCreated on its stream", async || {
        let length: u64 =
            redis::cmd("XLEN").arg(OrderCreated::STREAM.name).query_async(&mut redis).await.unwrap();
        (length > 0).then_some(length)
    })
    .await;
    assert_eq!(published, 1);
    let answer = envelope(StockReserved { order_id: id, user_id: None }).to_fields().unwrap();
    redis::cmd("XADD")
        .arg(StockReserved::STREAM.name)
        .arg("*")
        .arg(&answer)
        .exec_async(&mut redis)
        .await
        .unwrap();
    let order = eventually("AWAITING_PAYMENT", async || {
        let order = shop.order(id).await;
        (order["status"] == "AWAITING_PAYMENT").then_some(order)
    })
    .await;
    assert_eq!(order["payment_url"], format!("http://pay.example/{id}"));
}
