//! The whole way, with Redis: from an order on its stream to the answer on another.

use contracts::events::{Event, OrderCreated, StockReserved};
use redis::{AsyncCommands, aio::MultiplexedConnection, streams::StreamRangeReply};

use crate::{Shop, created, product, status, units};

async fn publish(redis: &mut MultiplexedConnection, order: OrderCreated) {
    let fields = testkit::envelope(order).to_fields().unwrap();
    let fields: Vec<(String, String)> = fields.into_iter().collect();
    let _id: String = redis.xadd(OrderCreated::STREAM.name, "*", &fields).await.unwrap();
}

/// The orders on a stream, in order.
async fn orders(redis: &mut MultiplexedConnection, stream: &str) -> Vec<String> {
    let entries: StreamRangeReply = redis.xrange_all(stream).await.unwrap();
    entries.ids.iter().filter_map(|entry| entry.get("order_id")).collect()
}

#[tokio::test]
async fn orders_are_answered_and_one_that_cannot_be_is_a_dead_letter_alone() {
    let app = Shop::with_flags(&["--seed-demo-data=false"]).await;
    let kopi = product(&app, "Kopi", 5).await;
    let mut redis = app.redis_client(1).get_multiplexed_async_connection().await.unwrap();
    for order in [created(1, &[(kopi, 1)]), created(2, &[(kopi, 0)]), created(3, &[(kopi, 2)])] {
        publish(&mut redis, order).await;
    }
    app.start_background().await;
    let dead = format!("{}:dlq", OrderCreated::STREAM.name);
    testkit::eventually("both good orders are answered and the bad one is a dead letter", async || {
        let answered = orders(&mut redis, StockReserved::STREAM.name).await == ["1", "3"];
        (answered && orders(&mut redis, &dead).await == ["2"]).then_some(())
    })
    .await;
    assert_eq!(status(&app, 2).await, None);
    assert_eq!(units(&app, kopi).await, (2, 3));
}
