//! The same over real streams: an event comes in, another goes out.

use contracts::events::{DeliverySuccess, Envelope, Event, Fields, OrderPaid};
use redis::AsyncCommands;

use super::{TestApp, advance, paid};

#[tokio::test]
async fn a_paid_order_on_the_stream_becomes_a_delivery_whose_end_is_on_the_stream() {
    let app = TestApp::start().await;
    app.start_background().await;
    let mut redis = app.redis_client(1).get_multiplexed_async_connection().await.unwrap();
    let fields: Vec<(String, String)> =
        testkit::envelope(paid(41, 7)).to_fields().unwrap().into_iter().collect();
    let _id: String = redis.xadd(OrderPaid::STREAM.name, "*", &fields).await.unwrap();

    let root = app.admin();
    let id = testkit::eventually("the delivery starts", async || {
        root.get("/api/v1/delivery?order_id=41").await.expect(200)[0]["id"].as_i64()
    })
    .await;
    advance(&app, &format!("/api/v1/delivery/{id}"), "DELIVERED").await;
    let entry = testkit::eventually("its end is told", async || {
        let read: Vec<(String, Fields)> = redis.xrange_all(DeliverySuccess::STREAM.name).await.unwrap();
        read.into_iter().next()
    })
    .await;
    let told = Envelope::<DeliverySuccess>::from_fields(&entry.1).unwrap().event;
    assert_eq!((told.order_id.get(), told.delivery_id.get()), (41, id));
}
