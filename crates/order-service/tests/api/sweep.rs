//! Stuck orders, on the database's clock.

use contracts::{
    OrderId,
    events::{CancelCause, OrderCancelled, OrderCreated, OrderPaid},
    grpc::payment::CancelOutcome,
};
use order_service::{app::rescue_order::rescue_orders, domain::Status};
use reqwest::Method;
use tonic::Code;

use crate::{
    shop::{Shop, paid},
    world::PAGE_ENDS,
};

async fn sweep(shop: &Shop) -> usize {
    rescue_orders(shop.app.app()).await.unwrap()
}

/// Lets the page's end be some seconds ago.
async fn expire(shop: &Shop, id: OrderId, seconds: i64) {
    shop.age(id, PAGE_ENDS - time::OffsetDateTime::now_utc().unix_timestamp() + seconds).await;
}

#[tokio::test]
async fn an_unanswered_order_is_told_again_and_ends_after_a_quarter_of_an_hour() {
    let shop = Shop::open().await;
    let id = shop.place().await;
    shop.age(id, 25).await;
    assert_eq!(sweep(&shop).await, 0, "somebody may still answer");
    shop.age(id, 6).await;
    assert_eq!(sweep(&shop).await, 1);
    assert_eq!(sweep(&shop).await, 0);
    shop.age(id, 61).await;
    assert_eq!(sweep(&shop).await, 1);
    let told = shop.app.published::<OrderCreated>().await;
    assert_eq!(told.len(), 3);
    // The times of the test's own ageing differ; all else is the same.
    assert!(told.iter().all(|event| event.items == told[0].items && event.order_id == id));
    assert_eq!(shop.timeline(id).await.len(), 1);

    shop.age(id, 15 * 60).await;
    assert_eq!(sweep(&shop).await, 1);
    assert_eq!(shop.timeline(id).await[1..], ["RECEIVED -> FAILED: TimedOut"]);
    assert_eq!(shop.order(id).await["failure_reason"], "timeout");
    assert_eq!(shop.app.published::<OrderCancelled>().await[0].cause, CancelCause::Timeout);
    shop.age(id, 3_600).await;
    assert_eq!(sweep(&shop).await, 0);
}

#[tokio::test]
async fn an_expired_order_ends_only_by_the_word_of_payment_service() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::AwaitingPayment).await;
    expire(&shop, id, 30).await;
    assert_eq!(sweep(&shop).await, 0, "payment-service may still tell by itself");
    shop.age(id, 31).await;
    shop.world.set().down.insert("payment", Code::Unavailable);
    assert_eq!(sweep(&shop).await, 1);
    shop.world.set().down.clear();
    for end in [CancelOutcome::Unknown, CancelOutcome::Paid] {
        shop.world.set().payment_end = end;
        shop.age(id, 61).await;
        assert_eq!(sweep(&shop).await, 1);
        assert_eq!(shop.status(id).await, "AWAITING_PAYMENT", "{end:?}");
    }
    shop.world.set().payment_end = CancelOutcome::Cancelled;
    shop.age(id, 61).await;
    assert_eq!(sweep(&shop).await, 1);
    assert_eq!(shop.order(id).await["failure_reason"], "payment_expired");
    assert_eq!(shop.app.published::<OrderCancelled>().await[0].cause, CancelCause::Payment);
}

#[tokio::test]
async fn an_order_that_was_paid_at_the_last_moment_is_paid() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::AwaitingPayment).await;
    shop.world.set().payment_end = CancelOutcome::Paid;
    expire(&shop, id, 61).await;
    assert_eq!(sweep(&shop).await, 1);
    shop.tell(paid(id)).await;
    assert_eq!(shop.status(id).await, "PAID");
}

#[tokio::test]
async fn a_paid_order_is_told_again_until_its_delivery_is_known() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::Paid).await;
    shop.age(id, 55).await;
    assert_eq!(sweep(&shop).await, 0);
    shop.age(id, 6).await;
    assert_eq!(sweep(&shop).await, 1);
    assert_eq!(shop.app.published::<OrderPaid>().await.len(), 2);
    shop.world.set().delivery = Some((9, "PENDING"));
    shop.age(id, 61).await;
    assert_eq!(sweep(&shop).await, 1);
    assert_eq!(shop.app.published::<OrderPaid>().await.len(), 2);
    assert_eq!(shop.order(id).await["delivery_id"], 9);
    shop.age(id, 3_600).await;
    assert_eq!(sweep(&shop).await, 0);
}

#[tokio::test]
async fn a_cancellation_that_broke_off_after_the_delivery_was_stopped_is_finished() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::Paid).await;
    shop.world.set().delivery = Some((9, "PENDING"));
    shop.age(id, 61).await;
    assert_eq!(sweep(&shop).await, 1);

    shop.world.set().down.insert("delivery", Code::Unavailable);
    let path = format!("/api/v1/order/{id}/cancel");
    shop.app.admin().send(Method::POST, &path, &[], None).await.problem(503, "delivery_unavailable");
    // It was stopped all the same; only the answer got lost.
    shop.world.set().down.clear();
    shop.world.set().delivery = Some((9, "CANCELLED"));
    shop.age(id, 31).await;
    assert_eq!(sweep(&shop).await, 1);
    assert_eq!(shop.timeline(id).await.last().unwrap(), "PAID -> CANCELLED: CancelledByAdmin");
    assert_eq!(shop.app.published::<OrderCancelled>().await[0].cause, CancelCause::Admin);
}
