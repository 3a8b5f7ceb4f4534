//! `OrderPaid` starts a delivery: one, however often it comes.

use contracts::{
    events::OrderPaid,
    grpc::delivery::{
        CancelDeliveryRequest, GetDeliveryByOrderIdRequest, delivery_service_client::DeliveryServiceClient,
    },
};
use delivery_service::consumers;
use messaging::{Delivered, HandlerError};
use serde_json::json;
use sqlx::Executor;
use time::OffsetDateTime;
use tonic::Code;

use super::{TestApp, address, grpc, history, paid};

#[tokio::test]
async fn a_paid_order_starts_one_delivery_however_often_it_is_told() {
    let app = TestApp::start().await;
    let consumer = consumers::consumer(app.app());
    let event = testkit::envelope(OrderPaid { shipping_address: Some(address()), ..paid(41, 7) });
    assert!(matches!(testkit::redeliver(&consumer, &event).await, Delivered::Applied));
    assert!(matches!(testkit::redeliver(&consumer, &event).await, Delivered::AlreadyApplied));
    assert!(matches!(testkit::deliver(&consumer, paid(41, 7)).await, Delivered::Applied), "told anew");

    let all = app.admin().get("/api/v1/delivery").await.expect(200);
    assert_eq!(all.as_array().unwrap().len(), 1);
    assert_eq!((&all[0]["order_id"], &all[0]["user_id"]), (&json!(41), &json!(7)));
    assert_eq!((&all[0]["status"], history(&all[0])), (&json!("PENDING"), vec!["PENDING"]));
    assert_eq!(all[0]["shipping_address"], serde_json::to_value(address()).unwrap());
}

#[tokio::test]
async fn an_order_that_is_paid_again_leaves_its_delivery_where_it_is() {
    let app = TestApp::start().await;
    let path = super::start(&app, 41, 7).await;
    super::advance(&app, &path, "IN_TRANSIT").await;
    assert!(matches!(
        testkit::deliver(&consumers::consumer(app.app()), paid(41, 7)).await,
        Delivered::Applied
    ));
    let delivery = app.admin().get(&path).await.expect(200);
    assert_eq!(history(&delivery), ["PENDING", "IN_TRANSIT"]);
}

#[tokio::test]
async fn an_order_whose_delivery_was_cancelled_before_never_starts_one() {
    let app = TestApp::start().await;
    grpc::cancel(&app, 41).await;
    let delivered = testkit::deliver(&consumers::consumer(app.app()), paid(41, 7)).await;
    assert!(matches!(delivered, Delivered::Applied), "nothing is wrong with the event: {delivered:?}");
    assert_eq!(app.admin().get("/api/v1/delivery").await.expect(200), json!([]));
    assert_eq!(grpc::status_of(&app, 41).await, "CANCELLED");
}

#[tokio::test]
async fn what_was_rolled_back_is_done_by_the_next_delivery_of_the_event() {
    let app = TestApp::start().await;
    let consumer = consumers::consumer(app.app());
    let event = testkit::envelope(paid(41, 7));
    app.pool().execute("alter table delivery_history rename to away").await.unwrap();
    let failed = testkit::redeliver(&consumer, &event).await;
    assert!(matches!(failed, Delivered::Failed(HandlerError::Retry(_))), "{failed:?}");
    app.pool().execute("alter table away rename to delivery_history").await.unwrap();
    assert_eq!(app.admin().get("/api/v1/delivery").await.expect(200), json!([]), "nothing is left of it");

    assert!(matches!(testkit::redeliver(&consumer, &event).await, Delivered::Applied));
    let all = app.admin().get("/api/v1/delivery").await.expect(200);
    assert_eq!(history(&all[0]), ["PENDING"]);
}

#[tokio::test]
async fn another_order_of_the_same_number_gets_no_part_of_the_delivery() {
    let app = TestApp::start().await;
    let path = super::start(&app, 41, 7).await;
    let consumer = consumers::consumer(app.app());
    for other in [paid(41, 8), OrderPaid { ordered_at: OffsetDateTime::now_utc(), ..paid(41, 7) }] {
        let delivered = testkit::deliver(&consumer, other).await;
        assert!(matches!(delivered, Delivered::Failed(HandlerError::Reject(_))), "{delivered:?}");
    }
    let mut client = DeliveryServiceClient::new(app.grpc_channel());
    let of_8 = CancelDeliveryRequest { order_id: 41, user_id: 8 };
    assert_eq!(client.cancel_delivery(of_8).await.unwrap_err().code(), Code::FailedPrecondition);
    let of_8 = GetDeliveryByOrderIdRequest { order_id: 41, user_id: 8 };
    assert_eq!(client.get_delivery_by_order_id(of_8).await.unwrap_err().code(), Code::FailedPrecondition);
    let of_7 = GetDeliveryByOrderIdRequest { order_id: 41, user_id: 7 };
    client.get_delivery_by_order_id(of_7).await.unwrap();
    assert_eq!(app.admin().get(&path).await.expect(200)["status"], "PENDING");
}
