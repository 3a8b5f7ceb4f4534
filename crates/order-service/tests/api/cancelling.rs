//! Cancelling by POST /order/{id}/cancel: who may, until when, and who has to agree.

use std::sync::Arc;

use contracts::{
    OrderId,
    events::{CancelCause, OrderCancelled},
    grpc::{delivery::CancelDeliveryOutcome, payment::CancelOutcome},
};
use futures::future::join;
use order_service::domain::Status;
use reqwest::Method;
use serde_json::json;
use testkit::{Actor, Reply};
use tokio::sync::Notify;
use tonic::Code;

use crate::shop::{ANI, Shop, paid, shipped};

async fn cancel(actor: &Actor, id: OrderId) -> Reply {
    actor.send(Method::POST, &format!("/api/v1/order/{id}/cancel"), &[], None).await
}

async fn published(shop: &Shop) -> Vec<(i64, CancelCause)> {
    let published = shop.app.published::<OrderCancelled>().await;
    published.iter().map(|event| (event.order_id.get(), event.cause)).collect()
}

#[tokio::test]
async fn a_received_order_is_cancelled_at_once_and_only_once() {
    let shop = Shop::open().await;
    let id = shop.place().await;
    let path = format!("/api/v1/order/{id}/cancel");
    let ani = shop.app.customer(ANI);
    let order = ani.post(&path, json!({ "reason": "salah pesan" })).await.expect(200);
    assert_eq!((&order["status"], &order["failure_reason"]), (&json!("CANCELLED"), &json!("salah pesan")));
    assert_eq!(cancel(&ani, id).await.expect(200), order);
    assert_eq!(published(&shop).await, [(id.get(), CancelCause::Customer)]);
    assert_eq!(shop.app.published::<OrderCancelled>().await[0].items.len(), 2);
    assert_eq!(shop.timeline(id).await[1..], ["RECEIVED -> CANCELLED: CancelledByCustomer"]);
    assert!(shop.world.set().closed.is_empty(), "there is no page that could be paid");
}

#[tokio::test]
async fn an_order_that_could_be_paid_is_cancelled_once_its_payment_is_closed() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::AwaitingPayment).await;
    let ani = shop.app.customer(ANI);
    shop.world.set().payment_end = CancelOutcome::Unknown;
    cancel(&ani, id).await.problem(503, "payment_unknown");
    shop.world.set().down.insert("payment", Code::Unavailable);
    cancel(&ani, id).await.problem(503, "payment_unknown");
    shop.world.set().down.clear();
    shop.world.set().payment_end = CancelOutcome::Paid;
    cancel(&ani, id).await.problem(409, "already_paid");
    assert_eq!((shop.status(id).await.as_str(), published(&shop).await.len()), ("AWAITING_PAYMENT", 0));

    shop.world.set().payment_end = CancelOutcome::Cancelled;
    assert_eq!(cancel(&ani, id).await.expect(200)["status"], "CANCELLED");
    assert_eq!(shop.world.set().closed.last(), Some(&id.to_u64()));
    assert_eq!(published(&shop).await, [(id.get(), CancelCause::Customer)]);
}

#[tokio::test]
async fn a_payment_that_succeeds_while_it_is_asked_to_close_is_not_lost() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::AwaitingPayment).await;
    let gate = Arc::new(Notify::new());
    shop.world.set().payment_gate = Some(gate.clone());
    // Even if payment-service said so, which it does not: an order that has moved on is looked at again.
    shop.world.set().payment_end = CancelOutcome::Cancelled;
    let meanwhile = async {
        testkit::eventually("CancelPayment", async || (!shop.world.set().closed.is_empty()).then_some(()))
            .await;
        shop.deliver(paid(id)).await;
        gate.notify_one();
    };
    let (reply, ()) = join(cancel(&shop.app.customer(ANI), id), meanwhile).await;
    reply.problem(409, "already_paid");
    assert_eq!((shop.status(id).await.as_str(), published(&shop).await.len()), ("PAID", 0));
}

#[tokio::test]
async fn a_paid_order_is_cancelled_by_an_administrator_once_its_delivery_is_stopped() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::Paid).await;
    let root = shop.app.admin();
    cancel(&shop.app.customer(ANI), id).await.problem(409, "already_paid");
    shop.world.set().down.insert("delivery", Code::Unavailable);
    cancel(&root, id).await.problem(503, "delivery_unavailable");
    shop.world.set().down.clear();
    shop.world.set().delivery_end = CancelDeliveryOutcome::Shipped;
    cancel(&root, id).await.problem(409, "already_shipped");
    assert_eq!((shop.status(id).await.as_str(), published(&shop).await.len()), ("PAID", 0));

    shop.world.set().delivery_end = CancelDeliveryOutcome::Cancelled;
    assert_eq!(cancel(&root, id).await.expect(200)["status"], "CANCELLED");
    assert_eq!(published(&shop).await, [(id.get(), CancelCause::Admin)]);
}

#[tokio::test]
async fn a_cancellation_without_an_answer_goes_on_and_ends_with_the_answer() {
    let shop = Shop::open().await;
    let (ani, root) = (shop.app.customer(ANI), shop.app.admin());
    let unpaid = shop.order_in(Status::AwaitingPayment).await;
    let paid_one = shop.order_in(Status::Paid).await;
    shop.world.set().silent.push("payment");
    shop.world.set().down.insert("delivery", Code::Unavailable);
    let path = format!("/api/v1/order/{unpaid}/cancel");
    let reply = ani.post(&path, json!({ "reason": "salah pesan" })).await;
    reply.problem(503, "payment_unknown");
    assert_eq!(reply.header("retry-after"), "1");
    cancel(&root, paid_one).await.problem(503, "delivery_unavailable");
    assert_eq!((shop.open_cancellations().await, shop.finish_cancellations().await), (2, 2));
    assert_eq!(shop.open_cancellations().await, 2, "still no answer");

    shop.world.set().silent.clear();
    shop.world.set().down.clear();
    shop.world.set().payment_end = CancelOutcome::Cancelled;
    shop.world.set().delivery_end = CancelDeliveryOutcome::Cancelled;
    assert_eq!(shop.finish_cancellations().await, 2);
    assert_eq!(shop.order(unpaid).await["failure_reason"], "salah pesan");
    assert_eq!(
        shop.timeline(unpaid).await.last().unwrap(),
        "AWAITING_PAYMENT -> CANCELLED: CancelledByCustomer"
    );
    assert_eq!(shop.timeline(paid_one).await.last().unwrap(), "PAID -> CANCELLED: CancelledByAdmin");
    let published = published(&shop).await;
    assert_eq!(published.len(), 2);
    assert!(published.contains(&(unpaid.get(), CancelCause::Customer)));
    assert!(published.contains(&(paid_one.get(), CancelCause::Admin)));
    assert_eq!((shop.open_cancellations().await, shop.finish_cancellations().await), (0, 0));
    cancel(&ani, unpaid).await.expect(200);
}

#[tokio::test]
async fn a_cancellation_is_finished_although_its_customer_went_away() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::AwaitingPayment).await;
    let gate = Arc::new(Notify::new());
    shop.world.set().payment_gate = Some(gate.clone());
    shop.world.set().payment_end = CancelOutcome::Cancelled;
    let ani = shop.app.customer(ANI);
    let asked =
        testkit::eventually("CancelPayment", async || (!shop.world.set().closed.is_empty()).then_some(()));
    tokio::select! {
        _ = cancel(&ani, id) => panic!("payment-service has not answered"),
        () = asked => {}
    }
    gate.notify_one();
    testkit::eventually("CANCELLED", async || (shop.status(id).await == "CANCELLED").then_some(())).await;
    assert_eq!(published(&shop).await, [(id.get(), CancelCause::Customer)]);
    assert_eq!(shop.open_cancellations().await, 0);
}

#[tokio::test]
async fn a_cancellation_never_outlives_what_it_was_meant_for() {
    let shop = Shop::open().await;
    let (ani, root) = (shop.app.customer(ANI), shop.app.admin());
    let id = shop.order_in(Status::AwaitingPayment).await;
    shop.world.set().payment_end = CancelOutcome::Unknown;
    cancel(&ani, id).await.problem(503, "payment_unknown");
    shop.world.set().payment_end = CancelOutcome::Paid;
    assert_eq!(shop.finish_cancellations().await, 1);
    assert_eq!(shop.open_cancellations().await, 0, "refused");

    shop.world.set().payment_end = CancelOutcome::Unknown;
    cancel(&ani, id).await.problem(503, "payment_unknown");
    shop.deliver(paid(id)).await;
    assert_eq!(shop.open_cancellations().await, 0, "overtaken by the payment");
    shop.world.set().down.insert("delivery", Code::Unavailable);
    cancel(&root, id).await.problem(503, "delivery_unavailable");
    shop.deliver(shipped(id)).await;
    assert_eq!(
        (shop.open_cancellations().await, published(&shop).await.len()),
        (0, 0),
        "overtaken by the goods"
    );
    assert_eq!(shop.status(id).await, "SHIPPED");
}

#[tokio::test]
async fn of_two_who_cancel_the_first_counts_and_what_the_second_says_is_kept() {
    let shop = Shop::open().await;
    let (ani, root) = (shop.app.customer(ANI), shop.app.admin());
    let id = shop.order_in(Status::AwaitingPayment).await;
    let path = format!("/api/v1/order/{id}/cancel");
    shop.world.set().payment_end = CancelOutcome::Unknown;
    ani.post(&path, json!({ "reason": "salah pesan" })).await.problem(503, "payment_unknown");
    shop.world.set().payment_end = CancelOutcome::Cancelled;
    let order = root.post(&path, json!({ "reason": "asked on the phone" })).await.expect(200);
    assert_eq!(order["failure_reason"], "salah pesan");
    assert_eq!(published(&shop).await, [(id.get(), CancelCause::Customer)]);
    let again = root.post(&path, json!({ "reason": "asked on the phone" })).await.expect(200);
    assert_eq!(again["failure_reason"], "salah pesan");
    let events = root.get(&format!("/api/v1/order/{id}/events")).await.expect(200);
    let last = events.as_array().unwrap().last().unwrap();
    assert_eq!((&last["to"], &last["detail"]), (&json!("CANCELLED"), &json!("asked on the phone")));
}

#[tokio::test]
async fn a_customer_cancels_so_often_and_then_waits() {
    let shop = Shop::open_with(&["--order-burst=2"]).await;
    let ani = shop.app.customer(ANI);
    let (one, other) = (shop.place().await, shop.place().await);
    cancel(&ani, one).await.expect(200);
    cancel(&ani, other).await.expect(200);
    let refused = cancel(&ani, other).await;
    refused.problem(429, "too_many_requests");
    assert!((1..=15).contains(&refused.header("retry-after").parse::<u32>().unwrap()));
    let root = shop.app.admin();
    for _ in 0..5 {
        cancel(&root, other).await.expect(200);
    }
}

#[tokio::test]
async fn every_other_state_refuses() {
    let shop = Shop::open().await;
    for (state, code) in [
        (Status::Shipped, "already_shipped"),
        (Status::Delivered, "already_shipped"),
        (Status::DeliveryFailed, "already_shipped"),
        (Status::Failed, "not_cancellable"),
        (Status::Refunded, "not_cancellable"),
    ] {
        let id = shop.order_in(state).await;
        let before = shop.timeline(id).await;
        for actor in [shop.app.customer(ANI), shop.app.admin()] {
            cancel(&actor, id).await.problem(409, code);
        }
        assert_eq!(shop.timeline(id).await, before, "{state}");
    }
}

#[tokio::test]
async fn an_administrator_cancels_for_a_customer_and_as_one() {
    let shop = Shop::open().await;
    shop.world.fill(1, &[(3, 1)]);
    let root = shop.app.admin();
    let own = root.post("/api/v1/order", json!({})).await.expect(201)["order_id"].as_i64().unwrap();
    let anis = shop.place().await;
    cancel(&root, own.try_into().unwrap()).await.expect(200);
    cancel(&root, anis).await.expect(200);
    assert_eq!(published(&shop).await, [(own, CancelCause::Customer), (anis.get(), CancelCause::Admin)]);
}

#[tokio::test]
async fn somebody_elses_order_is_unknown() {
    let shop = Shop::open().await;
    let id = shop.place().await;
    cancel(&shop.app.customer(8), id).await.problem(404, "not_found");
    cancel(&shop.app.anyone(), id).await.problem(401, "unauthorized");
    cancel(&shop.app.admin(), OrderId::try_from(999_i64).unwrap()).await.problem(404, "not_found");
    assert_eq!(shop.status(id).await, "RECEIVED");
}

#[tokio::test]
async fn what_comes_after_a_cancellation_does_not_bring_the_order_back() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::Cancelled).await;
    shop.hold(id).await;
    assert!(shop.world.set().pages.is_empty(), "nobody asks for a page any more");
    shop.pay(id).await;
    let late = testkit::deliver(&shop.consumer(), shipped(id)).await;
    assert!(matches!(late, messaging::Delivered::Failed(messaging::HandlerError::Reject(_))), "{late:?}");
    assert_eq!(shop.status(id).await, "CANCELLED");
}
