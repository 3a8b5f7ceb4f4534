//! The events of the other services: each once, twice, too early, and after a failure.

use contracts::{
    OrderId, ProductId,
    events::{
        CancelCause, InsufficientReason, Item, OrderCancelled, OrderPaid, RefundCause, Shortage,
        StockInsufficient, StockReserved,
    },
    grpc::delivery::CancelDeliveryOutcome,
};
use messaging::{Delivered, HandlerError};
use order_service::{
    domain::{FailureReason, State, Status},
    store::{self, moves::Move},
};
use serde_json::json;
use testkit::{deliver, envelope, redeliver};
use tonic::Code;

use crate::{
    shop::{ANI, Shop, TOTAL, delivered, paid, refunded, shipped, undelivered, unpaid},
    world::CART_READ_AT,
};

#[tokio::test]
async fn an_order_goes_from_the_request_to_the_door() {
    let shop = Shop::open().await;
    let id = shop.place().await;
    shop.hold(id).await;
    let order = shop.order(id).await;
    assert_eq!(order["payment_url"], format!("http://pay.example/{id}"));
    assert_eq!(order["payment_expires"], "2100-01-01T00:00:00Z");
    assert_eq!(shop.world.set().pages, [(id.to_u64(), TOTAL.unsigned_abs(), ANI.unsigned_abs())]);

    shop.deliver(paid(id)).await;
    let published = shop.app.published::<OrderPaid>().await;
    let items = [(4, 1), (3, 2)]
        .map(|(id, quantity): (i64, i32)| Item { product_id: id.try_into().unwrap(), quantity });
    assert_eq!(
        (published.len(), published[0].order_id, published[0].total_amount, published[0].user_id.get()),
        (1, id, TOTAL, ANI)
    );
    assert_eq!(published[0].items, items);
    assert!(published[0].shipping_address.is_none());

    shop.deliver(shipped(id)).await;
    shop.deliver(delivered(id)).await;
    assert_eq!(shop.order(id).await["delivery_id"], 9);
    assert_eq!(
        shop.timeline(id).await,
        [
            "nothing -> RECEIVED: Placed",
            "RECEIVED -> AWAITING_PAYMENT: StockReserved",
            "AWAITING_PAYMENT -> PAID: PaymentSuccess",
            "PAID -> SHIPPED: DeliveryShipped",
            "SHIPPED -> DELIVERED: DeliverySuccess",
        ]
    );
}

#[tokio::test]
async fn what_was_paid_for_says_when_the_cart_was_read() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::Paid).await;
    let published = shop.app.published::<OrderPaid>().await;
    let micros = published[0].cart_read_at.unwrap().unix_timestamp_nanos() / 1_000;
    assert_eq!((published[0].order_id, micros), (id, CART_READ_AT.into()));
}

#[tokio::test]
async fn a_buyer_who_never_paid_has_less_time_to_pay() {
    let shop = Shop::open().await;
    shop.order_in(Status::AwaitingPayment).await;
    let id = shop.order_in(Status::Paid).await;
    shop.order_in(Status::AwaitingPayment).await;
    assert_eq!(shop.world.set().lifetimes, [900, 900, 0]);
    shop.world.set().delivery_end = CancelDeliveryOutcome::Cancelled;
    shop.app.admin().post(&format!("/api/v1/order/{id}/cancel"), json!({})).await.expect(200);
    shop.order_in(Status::AwaitingPayment).await;
    assert_eq!(shop.world.set().lifetimes.last(), Some(&0), "what was paid once counts");

    let shop = Shop::open_with(&["--payment-expiry-minutes-new-buyer=0"]).await;
    shop.order_in(Status::AwaitingPayment).await;
    assert_eq!(shop.world.set().lifetimes, [0]);
}

#[tokio::test]
async fn the_address_goes_with_the_order_to_the_delivery() {
    let shop = Shop::open().await;
    let address = json!({
        "recipient": "Ani", "phone": "+62 811", "street": "Jl. Mawar 1", "city": "Bandung", "province": "Jawa Barat",
        "postal_code": "40111", "country": "ID"
    });
    let request = json!({ "shipping_address": address });
    let reply = shop.app.customer(ANI).post("/api/v1/order", request).await.expect(201);
    shop.pay(reply["order_id"].as_i64().unwrap().try_into().unwrap()).await;
    let published = shop.app.published::<OrderPaid>().await;
    assert_eq!(serde_json::to_value(&published[0].shipping_address).unwrap(), address);
}

#[tokio::test]
async fn an_event_that_comes_twice_has_its_effects_once() {
    let shop = Shop::open().await;
    let consumer = shop.consumer();
    let id = shop.place().await;
    shop.hold(id).await;
    let event = envelope(paid(id));
    assert!(matches!(redeliver(&consumer, &event).await, Delivered::Applied));
    assert!(matches!(redeliver(&consumer, &event).await, Delivered::AlreadyApplied));
    // The same event under another id, as a publisher that was restored would send it.
    shop.deliver(paid(id)).await;
    shop.hold(id).await;
    shop.deliver(undelivered(id)).await;
    shop.deliver(undelivered(id)).await;
    assert_eq!(shop.app.published::<OrderPaid>().await.len(), 1);
    assert_eq!(shop.world.set().pages.len(), 1);
    assert_eq!(shop.timeline(id).await.len(), 4);
    let waiting: i64 =
        sqlx::query_scalar("select count(*) from stock_returns").fetch_one(shop.app.pool()).await.unwrap();
    assert_eq!(waiting, 2);
}

#[tokio::test]
async fn missing_goods_fail_the_order() {
    let shop = Shop::open().await;
    for (reason, shown) in [
        (InsufficientReason::Insufficient, "stock_insufficient"),
        (InsufficientReason::ProductGone, "product_gone"),
    ] {
        let id = shop.place().await;
        let missing =
            Shortage { product_id: ProductId::try_from(3_i64).unwrap(), requested: 2, available: 1 };
        shop.deliver(StockInsufficient { order_id: id, user_id: None, reason, items: vec![missing] }).await;
        let order = shop.order(id).await;
        assert_eq!((&order["status"], &order["failure_reason"]), (&json!("FAILED"), &json!(shown)));
        let events = shop.app.customer(ANI).get(&format!("/api/v1/order/{id}/events")).await.expect(200);
        assert_eq!(events[1]["detail"], "product 3: 2 wanted, 1 free");
    }
    let published: Vec<CancelCause> =
        shop.app.published::<OrderCancelled>().await.iter().map(|event| event.cause).collect();
    assert_eq!(published, [CancelCause::Stock, CancelCause::Stock]);
}

#[tokio::test]
async fn a_payment_that_ends_without_money_fails_the_order() {
    let shop = Shop::open().await;
    for before in [Status::Received, Status::AwaitingPayment] {
        let id = shop.order_in(before).await;
        shop.deliver(unpaid(id)).await;
        let order = shop.order(id).await;
        assert_eq!(
            (&order["status"], &order["failure_reason"]),
            (&json!("FAILED"), &json!("payment_expired"))
        );
    }
    let published: Vec<CancelCause> =
        shop.app.published::<OrderCancelled>().await.iter().map(|event| event.cause).collect();
    assert_eq!(published, [CancelCause::Payment, CancelCause::Payment]);
}

pub async fn fails(shop: &Shop, event: impl contracts::events::Event) -> HandlerError {
    match deliver(&shop.consumer(), event).await {
        Delivered::Failed(fail) => fail,
        other => panic!("it was not refused: {other:?}"),
    }
}

#[tokio::test]
async fn what_comes_too_early_waits_and_then_counts() {
    let shop = Shop::open().await;
    let id = shop.place().await;
    let (consumer, payment, shipment) = (shop.consumer(), envelope(paid(id)), envelope(shipped(id)));
    assert!(matches!(redeliver(&consumer, &shipment).await, Delivered::Failed(HandlerError::NotYet(_))));
    assert!(matches!(redeliver(&consumer, &payment).await, Delivered::Failed(HandlerError::NotYet(_))));
    assert_eq!(shop.timeline(id).await.len(), 1);
    shop.hold(id).await;
    assert!(matches!(redeliver(&consumer, &shipment).await, Delivered::Failed(HandlerError::NotYet(_))));
    assert!(matches!(redeliver(&consumer, &payment).await, Delivered::Applied));
    let undone = refunded(id, RefundCause::DeliveryFailed, TOTAL);
    assert!(
        matches!(fails(&shop, undone).await, HandlerError::NotYet(_)),
        "the failed delivery is on its way"
    );
    assert!(matches!(redeliver(&consumer, &shipment).await, Delivered::Applied));
    assert_eq!(shop.status(id).await, "SHIPPED");
}

#[tokio::test]
async fn what_cannot_be_true_is_rejected() {
    let shop = Shop::open().await;
    let nobodys = OrderId::try_from(999_i64).unwrap();
    assert!(matches!(fails(&shop, paid(nobodys)).await, HandlerError::Reject(_)));
    assert!(matches!(
        fails(&shop, StockReserved { order_id: nobodys, user_id: None }).await,
        HandlerError::Reject(_)
    ));
    let id = shop.order_in(Status::Delivered).await;
    assert!(matches!(fails(&shop, undelivered(id)).await, HandlerError::Reject(_)));
    let reason = InsufficientReason::Insufficient;
    assert!(matches!(
        fails(&shop, StockInsufficient { order_id: id, user_id: None, reason, items: Vec::new() }).await,
        HandlerError::Reject(_)
    ));
    assert_eq!(shop.status(id).await, "DELIVERED");
}

#[tokio::test]
async fn held_goods_wait_for_a_payment_service_that_is_away() {
    let shop = Shop::open().await;
    let id = shop.place().await;
    let (consumer, held) = (shop.consumer(), envelope(StockReserved { order_id: id, user_id: None }));
    shop.world.set().down.insert("payment", Code::Unavailable);
    assert!(matches!(redeliver(&consumer, &held).await, Delivered::Failed(HandlerError::Retry(_))));
    assert_eq!(shop.timeline(id).await.len(), 1, "nothing was committed");
    shop.world.set().down.clear();
    assert!(matches!(redeliver(&consumer, &held).await, Delivered::Applied));
    assert_eq!(shop.status(id).await, "AWAITING_PAYMENT");
}

#[tokio::test]
async fn held_goods_wait_for_a_payment_service_that_does_not_know_the_order_yet() {
    let shop = Shop::open().await;
    let id = shop.place().await;
    shop.world.set().page_later = 1;
    assert!(matches!(
        fails(&shop, StockReserved { order_id: id, user_id: None }).await,
        HandlerError::Retry(_)
    ));
    assert_eq!(shop.status(id).await, "RECEIVED");
    shop.hold(id).await;
    assert_eq!(shop.status(id).await, "AWAITING_PAYMENT");
}

#[tokio::test]
async fn an_order_moves_only_from_where_it_was_seen() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::Paid).await;
    let before = shop.order(id).await;
    let mut db = shop.app.pool().acquire().await.unwrap();
    let to = State::Failed(FailureReason::Timeout);
    let change = Move { id, from: Status::Received, to, cause: "Test", detail: None, awaited_row: None };
    let moved = store::moves::move_orders(&mut db, &[change]).await;
    assert!(matches!(moved, Err(sqlx::Error::Decode(_))), "{moved:?}");
    assert_eq!(shop.order(id).await, before);
    assert_eq!(shop.timeline(id).await.len(), 3);
}

#[tokio::test]
async fn held_goods_of_a_closed_payment_are_left_to_the_payment() {
    let shop = Shop::open().await;
    let id = shop.place().await;
    shop.world.set().down.insert("payment", Code::FailedPrecondition);
    shop.hold(id).await;
    shop.deliver(unpaid(id)).await;
    assert_eq!(
        shop.timeline(id).await[1..],
        ["note in RECEIVED: StockReserved", "RECEIVED -> FAILED: PaymentFailed"]
    );
}
