//! `DeliveryService`, as order-service calls it to ask and to cancel.

use contracts::grpc::delivery::{
    CancelDeliveryOutcome, CancelDeliveryRequest, GetDeliveryByOrderIdRequest,
    delivery_service_client::DeliveryServiceClient,
};
use serde_json::json;
use tonic::{Code, Status};

use super::{TestApp, advance, history, start};

/// Asks for an order's delivery to be stopped.
pub async fn cancel(app: &TestApp, order_id: u64) -> CancelDeliveryOutcome {
    try_cancel(app, order_id).await.unwrap()
}

/// What is said of an order's delivery.
pub async fn status_of(app: &TestApp, order_id: u64) -> String {
    let mut client = DeliveryServiceClient::new(app.grpc_channel());
    let reply =
        client.get_delivery_by_order_id(GetDeliveryByOrderIdRequest { order_id, user_id: 0 }).await.unwrap();
    let delivery = reply.into_inner().delivery.unwrap();
    assert_eq!(delivery.order_id, order_id);
    assert_ne!(delivery.id, 0);
    delivery.status
}

async fn try_cancel(app: &TestApp, order_id: u64) -> Result<CancelDeliveryOutcome, Status> {
    let mut client = DeliveryServiceClient::new(app.grpc_channel());
    Ok(client.cancel_delivery(CancelDeliveryRequest { order_id, user_id: 0 }).await?.into_inner().outcome())
}

#[tokio::test]
async fn an_orders_delivery_is_found_by_the_order() {
    let app = TestApp::start().await;
    let path = start(&app, 41, 7).await;
    assert_eq!(status_of(&app, 41).await, "PENDING");
    advance(&app, &path, "IN_TRANSIT").await;
    assert_eq!(status_of(&app, 41).await, "IN_TRANSIT");

    let mut client = DeliveryServiceClient::new(app.grpc_channel());
    let mut code = async |order_id| {
        client
            .get_delivery_by_order_id(GetDeliveryByOrderIdRequest { order_id, user_id: 0 })
            .await
            .unwrap_err()
            .code()
    };
    assert_eq!(code(42).await, Code::NotFound);
    assert_eq!(code(0).await, Code::InvalidArgument);
    assert_eq!(code(u64::MAX).await, Code::InvalidArgument);
}

#[tokio::test]
async fn a_delivery_that_has_not_left_is_stopped_once_and_for_all() {
    let app = TestApp::start().await;
    let path = start(&app, 41, 7).await;
    assert_eq!(cancel(&app, 41).await, CancelDeliveryOutcome::Cancelled);
    assert_eq!(cancel(&app, 41).await, CancelDeliveryOutcome::Cancelled);
    let delivery = app.customer(7).get(&path).await.expect(200);
    assert_eq!(delivery["status"], "CANCELLED");
    assert_eq!(history(&delivery), ["PENDING", "CANCELLED"]);
    let outbox: i64 =
        sqlx::query_scalar("select count(*) from messaging.outbox").fetch_one(app.pool()).await.unwrap();
    assert_eq!(outbox, 0, "whoever asked is told by the answer");
}

#[tokio::test]
async fn a_delivery_that_has_left_cannot_be_stopped() {
    let app = TestApp::start().await;
    for (order, status) in [(41, "IN_TRANSIT"), (42, "DELIVERED"), (43, "FAILED")] {
        let path = start(&app, order, 7).await;
        advance(&app, &path, status).await;
        assert_eq!(cancel(&app, order.unsigned_abs()).await, CancelDeliveryOutcome::Shipped, "{status}");
        assert_eq!(app.admin().get(&path).await.expect(200)["status"], status);
    }
}

#[tokio::test]
async fn many_who_cancel_at_once_all_get_the_same_answer() {
    let app = TestApp::start().await;
    let all = futures::future::join_all((0..8).map(|_| cancel(&app, 41))).await;
    assert_eq!(all, [CancelDeliveryOutcome::Cancelled; 8]);
    assert_eq!(status_of(&app, 41).await, "CANCELLED");
    let rows: i64 =
        sqlx::query_scalar("select count(*) from delivery_history").fetch_one(app.pool()).await.unwrap();
    assert_eq!(json!(rows), 1);
}

#[tokio::test]
async fn only_our_own_services_may_call() {
    let app = TestApp::start().await;
    assert_eq!(try_cancel(&app, 0).await.unwrap_err().code(), Code::InvalidArgument);
    let mut stranger = DeliveryServiceClient::new(app.grpc_channel_with("wrong"));
    let refused =
        stranger.cancel_delivery(CancelDeliveryRequest { order_id: 41, user_id: 0 }).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let refused = stranger
        .get_delivery_by_order_id(GetDeliveryByOrderIdRequest { order_id: 41, user_id: 0 })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}
