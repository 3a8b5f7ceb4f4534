//! Stuck orders, on the database's clock.

use contracts::{
    OrderId,
    events::{CancelCause, OrderCancelled, OrderCreated, OrderPaid},
    grpc::payment::CancelOutcome,
};
use messaging::{Delivered, Event, HandlerError};
use order_service::domain::Status;
use redis::aio::MultiplexedConnection;
use tonic::Code;

use crate::{
    shop::{ANI, Shop, paid},
    world::seconds_to_the_end,
};

/// Lets the page's end be some seconds ago.
async fn expire(shop: &Shop, id: OrderId, seconds: i64) {
    shop.age(id, seconds_to_the_end() + seconds).await;
}

async fn streams(shop: &Shop) -> MultiplexedConnection {
    shop.app.redis_client(1).get_multiplexed_async_connection().await.unwrap()
}

/// Puts the events that were not published yet onto their stream, as the relay would.
async fn publish<E: Event>(shop: &Shop) {
    let rows: Vec<i64> = sqlx::query_scalar(
        "select id from messaging.outbox where stream = $1 and published_at is null order by id",
    )
    .bind(E::STREAM.name)
    .fetch_all(shop.app.pool())
    .await
    .unwrap();
    for row in rows {
        let entry: String = redis::cmd("XADD")
            .arg(E::STREAM.name)
            .arg("*")
            .arg("n")
            .arg(row)
            .query_async(&mut streams(shop).await)
            .await
            .unwrap();
        let (ms, seq) = entry.split_once('-').unwrap();
        sqlx::query(
            "update messaging.outbox set published_at = now(), mark = 1, entry_ms = $2, entry_seq = $3 where id = $1",
        )
        .bind(row)
        .bind(ms.parse::<i64>().unwrap())
        .bind(seq.parse::<i64>().unwrap())
        .execute(shop.app.pool())
        .await
        .unwrap();
    }
}

/// A group takes what is on a stream, and acknowledges it or not.
async fn read<E: Event>(shop: &Shop, group: &str, acknowledge: bool) {
    let (mut redis, stream) = (streams(shop).await, E::STREAM.name);
    // The group may be there already.
    let create = redis::cmd("XGROUP").arg("CREATE").arg(stream).arg(group).arg("0").arg("MKSTREAM").clone();
    let _: Result<(), _> = create.query_async(&mut redis).await;
    let mut read = redis::cmd("XREADGROUP");
    read.arg("GROUP").arg(group).arg("reader");
    if acknowledge {
        read.arg("NOACK");
    }
    read.arg("STREAMS").arg(stream).arg(">");
    let _: redis::Value = read.query_async(&mut redis).await.unwrap();
}

async fn is_read_by_all<E: Event>(shop: &Shop) {
    publish::<E>(shop).await;
    for group in E::STREAM.groups {
        read::<E>(shop, group, true).await;
    }
}

#[tokio::test]
async fn an_unanswered_order_is_published_again_with_growing_pauses_and_ends_after_a_quarter_of_an_hour() {
    let shop = Shop::open().await;
    let id = shop.place().await;
    shop.age(id, 25).await;
    assert_eq!(shop.run_due_jobs().await, 0, "somebody may still answer");
    shop.age(id, 6).await;
    for (published, pause) in [(1, 60), (2, 120), (3, 240), (4, 430)] {
        assert_eq!(shop.app.published::<OrderCreated>().await.len(), published);
        is_read_by_all::<OrderCreated>(&shop).await;
        assert_eq!(shop.run_due_jobs().await, 1);
        shop.age(id, pause - 5).await;
        assert_eq!(shop.run_due_jobs().await, 0, "{pause} s have not passed");
        shop.age(id, 10).await;
    }
    let published = shop.app.published::<OrderCreated>().await;
    assert_eq!(published.len(), 5);
    assert!(published.iter().all(|event| event.items == published[0].items && event.order_id == id));
    assert_eq!(shop.timeline(id).await.len(), 1);

    shop.age(id, 15).await;
    assert_eq!(shop.run_due_jobs().await, 1, "at the deadline, however long the pause was");
    assert_eq!(shop.timeline(id).await[1..], ["RECEIVED -> FAILED: TimedOut"]);
    assert_eq!(shop.order(id).await["failure_reason"], "timeout");
    assert_eq!(shop.app.published::<OrderCancelled>().await[0].cause, CancelCause::Timeout);
    shop.age(id, 3_600).await;
    assert_eq!(shop.run_due_jobs().await, 0);
}

/// How often an order was published after it was reconciled once more.
async fn published_after_a_look(shop: &Shop) -> usize {
    shop.make_due(&["reconcile-received"]).await;
    assert_eq!(shop.run_due_jobs().await, 1);
    shop.app.published::<OrderCreated>().await.len()
}

#[tokio::test]
async fn an_order_is_not_published_again_while_it_was_not_read() {
    let mut shop = Shop::open().await;
    shop.place().await;
    assert_eq!(published_after_a_look(&shop).await, 1, "not on its stream yet");
    publish::<OrderCreated>(&shop).await;
    assert_eq!(published_after_a_look(&shop).await, 1, "no group is there");
    let [one, other] = OrderCreated::STREAM.groups else { panic!("two groups read it") };
    read::<OrderCreated>(&shop, one, true).await;
    assert_eq!(published_after_a_look(&shop).await, 1, "one group has read it");
    read::<OrderCreated>(&shop, other, false).await;
    assert_eq!(published_after_a_look(&shop).await, 1, "the other has not acknowledged it");
    let mut destroy = redis::cmd("XGROUP");
    destroy.arg("DESTROY").arg(OrderCreated::STREAM.name).arg(other);
    destroy.exec_async(&mut streams(&shop).await).await.unwrap();
    read::<OrderCreated>(&shop, other, true).await;
    assert_eq!(published_after_a_look(&shop).await, 2, "all have read it, and nobody answered");
    assert_eq!(published_after_a_look(&shop).await, 2, "the second is not on its stream yet");
    publish::<OrderCreated>(&shop).await;
    shop.app.redis().stop().await.unwrap();
    assert_eq!(published_after_a_look(&shop).await, 2, "without Redis nobody reads");
}

#[tokio::test]
async fn an_order_whose_goods_are_held_and_only_its_page_is_missing_is_not_published_again() {
    let shop = Shop::open().await;
    let id = shop.place().await;
    is_read_by_all::<OrderCreated>(&shop).await;
    shop.world.set().down.insert("payment", Code::Unavailable);
    let held = testkit::envelope(contracts::events::StockReserved { order_id: id, user_id: None });
    let consumer = shop.consumer();
    let failed = testkit::redeliver(&consumer, &held).await;
    assert!(matches!(failed, Delivered::Failed(HandlerError::Retry(_))), "{failed:?}");
    shop.age(id, 10 * 60).await;
    assert_eq!(shop.run_due_jobs().await, 0);

    // payment-service is back, and has lost what it knew.
    shop.world.set().down.clear();
    shop.world.set().page_later = 1;
    let failed = testkit::redeliver(&consumer, &held).await;
    assert!(matches!(failed, Delivered::Failed(HandlerError::Retry(_))), "{failed:?}");
    assert_eq!(shop.run_due_jobs().await, 1);
    assert_eq!(shop.app.published::<OrderCreated>().await.len(), 2);
    assert!(matches!(testkit::redeliver(&consumer, &held).await, Delivered::Applied));
    assert_eq!(shop.status(id).await, "AWAITING_PAYMENT");
}

#[tokio::test]
async fn a_service_that_is_slow_holds_up_only_what_waits_for_it() {
    let shop = Shop::open().await;
    let mut unpaid = Vec::new();
    for _ in 0..9 {
        unpaid.push(shop.order_in(Status::AwaitingPayment).await);
    }
    let paid = shop.order_in(Status::Paid).await;
    for id in &unpaid {
        expire(&shop, *id, 61).await;
    }
    shop.age(paid, 61).await;
    shop.world.set().silent.push("payment");
    shop.world.set().delivery = Some((9, "PENDING"));
    let found = testkit::eventually("the delivery is known", async || {
        let order = shop.order(paid).await;
        (order["delivery_id"] == 9).then_some(())
    });
    tokio::select! {
        biased;
        _ = shop.run_due_jobs() => panic!("payment-service is silent"),
        () = found => {}
    }
    // The process that took them up is gone: another takes them up as soon as its leases are over.
    shop.world.set().silent.clear();
    shop.world.set().payment_end = CancelOutcome::Cancelled;
    for id in &unpaid {
        shop.age(*id, 16).await;
    }
    assert_eq!((shop.run_due_jobs().await, shop.run_due_jobs().await), (8, 1));
    for id in unpaid {
        assert_eq!(shop.status(id).await, "FAILED");
    }
}

#[tokio::test]
async fn an_expired_order_ends_only_by_the_answer_of_payment_service() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::AwaitingPayment).await;
    expire(&shop, id, 30).await;
    assert_eq!(shop.run_due_jobs().await, 0, "payment-service may still publish it by itself");
    shop.age(id, 31).await;
    shop.world.set().down.insert("payment", Code::Unavailable);
    assert_eq!(shop.run_due_jobs().await, 1);
    shop.world.set().down.clear();
    for (end, pause) in [(CancelOutcome::Unknown, 61), (CancelOutcome::Paid, 121)] {
        shop.world.set().payment_end = end;
        shop.age(id, pause).await;
        assert_eq!(shop.run_due_jobs().await, 1);
        assert_eq!(shop.status(id).await, "AWAITING_PAYMENT", "{end:?}");
    }
    shop.world.set().payment_end = CancelOutcome::Cancelled;
    shop.age(id, 241).await;
    assert_eq!(shop.run_due_jobs().await, 1);
    assert_eq!(shop.order(id).await["failure_reason"], "payment_expired");
    assert_eq!(shop.app.published::<OrderCancelled>().await[0].cause, CancelCause::Payment);
}

#[tokio::test]
async fn an_order_that_was_paid_at_the_last_moment_is_paid() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::AwaitingPayment).await;
    shop.world.set().payment_end = CancelOutcome::Paid;
    expire(&shop, id, 61).await;
    assert_eq!(shop.run_due_jobs().await, 1);
    shop.deliver(paid(id)).await;
    assert_eq!(shop.status(id).await, "PAID");
}

#[tokio::test]
async fn a_paid_order_is_published_again_until_its_delivery_is_known() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::Paid).await;
    shop.age(id, 55).await;
    assert_eq!(shop.run_due_jobs().await, 0);
    shop.age(id, 6).await;
    assert_eq!(shop.run_due_jobs().await, 1);
    assert_eq!(shop.app.published::<OrderPaid>().await.len(), 1, "delivery-service has not read the first");
    publish::<OrderPaid>(&shop).await;
    read::<OrderPaid>(&shop, "delivery-group", true).await;
    shop.age(id, 61).await;
    assert_eq!(shop.run_due_jobs().await, 1);
    assert_eq!(shop.app.published::<OrderPaid>().await.len(), 2);
    shop.world.set().delivery = Some((9, "PENDING"));
    shop.age(id, 121).await;
    assert_eq!(shop.run_due_jobs().await, 1);
    assert_eq!(shop.app.published::<OrderPaid>().await.len(), 2);
    assert_eq!(shop.order(id).await["delivery_id"], 9);
    shop.age(id, 3_600).await;
    assert_eq!(shop.run_due_jobs().await, 0);
}

#[tokio::test]
async fn a_paid_order_whose_delivery_was_stopped_is_cancelled() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::Paid).await;
    shop.world.set().delivery = Some((9, "CANCELLED"));
    shop.age(id, 61).await;
    assert_eq!(shop.run_due_jobs().await, 1);
    assert_eq!(shop.timeline(id).await.last().unwrap(), "PAID -> CANCELLED: CancelledByAdmin");
    assert_eq!(shop.app.published::<OrderCancelled>().await[0].cause, CancelCause::Admin);
}

#[tokio::test]
async fn an_order_that_is_being_cancelled_is_left_to_its_cancellation() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::AwaitingPayment).await;
    shop.world.set().payment_end = CancelOutcome::Unknown;
    let path = format!("/api/v1/order/{id}/cancel");
    shop.app.customer(ANI).post(&path, serde_json::json!({})).await.problem(503, "payment_unknown");
    expire(&shop, id, 61).await;
    let closed = shop.world.set().closed.clone();
    assert_eq!(shop.run_due_jobs().await, 1);
    assert_eq!(shop.world.set().closed, closed, "only the cancellation asks");
    assert_eq!(shop.status(id).await, "AWAITING_PAYMENT");
    shop.world.set().payment_end = CancelOutcome::Cancelled;
    assert_eq!(shop.finish_cancellations().await, 1);
    assert_eq!(shop.app.published::<OrderCancelled>().await[0].cause, CancelCause::Customer);
}
