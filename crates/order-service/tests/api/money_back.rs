//! Money that goes back or is taken back, goods that do not arrive, and events about another order of the same number.

use contracts::{
    UserId,
    events::{
        DeliveryShipped, PaymentFailed, PaymentRefunded, PaymentReversed, PaymentSuccess, RefundCause,
        ReversalKind,
    },
};
use messaging::HandlerError;
use order_service::domain::Status;
use serde_json::json;

use crate::{
    saga::fails,
    shop::{ANI, Shop, TOTAL, paid, refunded, shipped, unpaid},
};

#[tokio::test]
async fn money_that_goes_back_is_shown_and_ends_an_undeliverable_order() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::Delivered).await;
    shop.deliver(refunded(id, RefundCause::Admin, 50_000)).await;
    let order = shop.order(id).await;
    assert_eq!((&order["status"], &order["refunded_amount"]), (&json!("DELIVERED"), &json!(50_000)));

    let id = shop.order_in(Status::DeliveryFailed).await;
    shop.deliver(refunded(id, RefundCause::DeliveryFailed, 100_000)).await;
    assert_eq!(shop.status(id).await, "DELIVERY_FAILED");
    shop.deliver(refunded(id, RefundCause::DeliveryFailed, TOTAL)).await;
    // A partial refund that was published earlier but comes later does not lessen the sum.
    shop.deliver(refunded(id, RefundCause::DeliveryFailed, 100_000)).await;
    let order = shop.order(id).await;
    assert_eq!((&order["status"], &order["refunded_amount"]), (&json!("REFUNDED"), &json!(TOTAL)));
    let events = shop.app.admin().get(&format!("/api/v1/order/{id}/events")).await.expect(200);
    assert_eq!(events[4]["detail"], "100000 went back (delivery failed), 100000 in all");
}

#[tokio::test]
async fn an_undeliverable_order_ends_although_nothing_was_left_to_go_back() {
    let shop = Shop::open().await;
    // All of it went back before, or was taken back by the bank: then nothing is left, and that is what is said.
    for refunded_total in [TOTAL, 0] {
        let id = shop.order_in(Status::DeliveryFailed).await;
        let cause = RefundCause::DeliveryFailed;
        shop.deliver(PaymentRefunded {
            order_id: id,
            user_id: None,
            total_amount: None,
            cause,
            amount: 0,
            refunded_total,
            full: true,
        })
        .await;
        let order = shop.order(id).await;
        assert_eq!(
            (&order["status"], &order["refunded_amount"]),
            (&json!("REFUNDED"), &json!(refunded_total))
        );
    }
}

#[tokio::test]
async fn money_that_is_taken_back_or_comes_late_is_noted() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::Paid).await;
    shop.deliver(PaymentReversed {
        order_id: id,
        user_id: None,
        total_amount: None,
        kind: ReversalKind::Chargeback,
        amount: TOTAL,
    })
    .await;
    shop.deliver(unpaid(id)).await;
    assert_eq!(
        shop.timeline(id).await[3..],
        ["note in PAID: PaymentReversed", "note in PAID: PaymentFailed"]
    );

    let id = shop.order_in(Status::Failed).await;
    shop.deliver(paid(id)).await;
    shop.deliver(refunded(id, RefundCause::Late, TOTAL)).await;
    assert_eq!(
        shop.timeline(id).await[3..],
        ["note in FAILED: PaymentSuccess", "note in FAILED: PaymentRefunded"]
    );
    assert_eq!(shop.order(id).await["refunded_amount"], TOTAL);
}

#[tokio::test]
async fn what_is_about_another_order_of_the_same_number_is_rejected() {
    let shop = Shop::open().await;
    let id = shop.order_in(Status::AwaitingPayment).await;
    let other = Some(UserId::try_from(ANI + 1).unwrap());
    assert!(matches!(
        fails(&shop, PaymentSuccess { user_id: other, ..paid(id) }).await,
        HandlerError::Reject(_)
    ));
    let total_amount = Some(TOTAL + 1);
    assert!(matches!(
        fails(&shop, PaymentSuccess { total_amount, ..paid(id) }).await,
        HandlerError::Reject(_)
    ));
    assert!(matches!(
        fails(&shop, PaymentFailed { user_id: other, ..unpaid(id) }).await,
        HandlerError::Reject(_)
    ));
    assert!(matches!(
        fails(&shop, DeliveryShipped { user_id: other, ..shipped(id) }).await,
        HandlerError::Reject(_)
    ));
    assert_eq!(shop.status(id).await, "AWAITING_PAYMENT");
    let ours = (Some(UserId::try_from(ANI).unwrap()), Some(TOTAL));
    shop.deliver(PaymentSuccess { user_id: ours.0, total_amount: ours.1, ..paid(id) }).await;
    assert_eq!(shop.status(id).await, "PAID");
}
