//! The same over real streams, by everything that runs in the background.

use contracts::events::{Event, OrderPaid};
use redis::AsyncCommands;

use super::{TestApp, paid};

#[tokio::test]
async fn a_paid_order_on_the_stream_becomes_a_mail() {
    let app = TestApp::start().await;
    app.start_background().await;
    let mut redis = app.redis_client(1).get_multiplexed_async_connection().await.unwrap();
    let fields: Vec<(String, String)> =
        testkit::envelope(paid(41, 7)).to_fields().unwrap().into_iter().collect();
    let _: String = redis.xadd(OrderPaid::STREAM.name, "*", &fields).await.unwrap();
    let mail = testkit::eventually("the mail comes", async || app.mails().first().cloned()).await;
    assert_eq!(mail.subject, "We have received your payment for order 41");
    testkit::eventually("it is noted", async || (app.only_state().await.0 == "SENT").then_some(())).await;
}
