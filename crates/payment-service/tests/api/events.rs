//! The events that this service consumes: once, twice, out of order.

use contracts::{
    UserId,
    events::{
        CancelCause, DeliveryFailed, OrderCancelled, OrderCreated, PaymentFailed, PaymentRefunded,
        PaymentSuccess, RefundCause,
    },
    grpc::payment::{CancelPaymentRequest, ConfirmPaymentRequest},
};
use messaging::{Delivered, HandlerError};
use serde_json::json;
use tonic::Code;

use crate::shop::{ANI, PRICE, Shop, cancelled, created, undelivered};

#[tokio::test]
async fn a_created_order_has_one_open_payment_without_a_page() {
    let shop = Shop::start().await;
    let envelope = testkit::envelope(created(41, PRICE));
    assert!(matches!(testkit::redeliver(&shop.consumer(), &envelope).await, Delivered::Applied));
    assert!(matches!(testkit::redeliver(&shop.consumer(), &envelope).await, Delivered::AlreadyApplied));
    // The sweep of order-service says it again with another event id.
    shop.deliver(created(41, PRICE)).await;
    let payment = shop.payment(41).await;
    assert_eq!(
        payment,
        json!({
            "order_id": 41, "status": "PENDING", "amount": PRICE, "refunded_amount": 0, "refunds": [],
        })
    );
    assert_eq!(shop.history(41).await, ["PENDING"]);
    assert_eq!(shop.count("select count(*) from payment_attempts").await, 0);
}

#[tokio::test]
async fn an_order_that_costs_nothing_is_a_dead_letter() {
    let shop = Shop::start().await;
    let delivered = testkit::deliver(&shop.consumer(), created(41, 0)).await;
    assert!(matches!(delivered, Delivered::Failed(HandlerError::Reject(_))), "{delivered:?}");
}

#[tokio::test]
async fn an_order_that_ended_before_it_was_known_cannot_be_paid() {
    let shop = Shop::start().await;
    shop.deliver(cancelled(41, CancelCause::Stock)).await;
    shop.deliver(cancelled(41, CancelCause::Stock)).await;
    assert_eq!(shop.payment(41).await["amount"], 0);
    shop.deliver(created(41, PRICE)).await;
    let payment = shop.payment(41).await;
    assert_eq!((&payment["status"], &payment["amount"]), (&json!("CANCELLED"), &json!(PRICE)));
    assert_eq!(shop.history(41).await, ["CANCELLED"]);
    assert_eq!(shop.ask_link(41, PRICE).await.unwrap_err().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_cancelled_order_without_a_page_is_closed_at_once() {
    let shop = Shop::start().await;
    shop.deliver(created(41, PRICE)).await;
    shop.deliver(cancelled(41, CancelCause::Customer)).await;
    shop.deliver(cancelled(41, CancelCause::Customer)).await;
    assert_eq!(shop.history(41).await, ["PENDING", "CANCELLED"]);
    assert_eq!(shop.count("select count(*) from jobs.queue where kind = 'void'").await, 0);
}

#[tokio::test]
async fn a_cancelled_orders_page_is_closed_at_midtrans_first() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.deliver(cancelled(41, CancelCause::Timeout)).await;
    assert_eq!(shop.status(41).await, "PENDING", "a payment dies only on Midtrans' answer");
    assert!(shop.payment(41).await.get("payment_url").is_none(), "nobody is sent to it any more");

    shop.inject_faults(json!({ "down": true })).await;
    shop.make_voids().await;
    assert_eq!(shop.status(41).await, "PENDING");
    shop.inject_faults(json!({})).await;
    shop.make_voids().await;
    assert_eq!(shop.history(41).await, ["PENDING", "CANCELLED"]);
    assert_eq!(shop.at_midtrans(&token).await["page"], "canceled");
    assert_eq!(shop.app.published::<PaymentFailed>().await, [], "order-service knows: it said so");
    assert_eq!(shop.count("select count(*) from jobs.queue where kind = 'void'").await, 0);
}

#[tokio::test]
async fn a_cancelled_orders_virtual_account_is_called_off() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({ "payment_type": "bank_transfer", "outcome": "pending" })).await;
    shop.deliver(cancelled(41, CancelCause::Customer)).await;
    shop.make_voids().await;
    assert_eq!(shop.status(41).await, "CANCELLED");
    assert_eq!(shop.at_midtrans(&token).await["transaction_status"], "cancel");
}

#[tokio::test]
async fn money_that_comes_after_the_order_ended_goes_back_without_a_success() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.deliver(cancelled(41, CancelCause::Timeout)).await;
    shop.pay(&token, json!({ "payment_type": "gopay" })).await;
    shop.make_voids().await;
    assert_eq!(shop.status(41).await, "SUCCESS");
    assert_eq!(shop.app.published::<PaymentSuccess>().await, []);
    shop.make_refunds().await;
    assert_eq!(shop.status(41).await, "REFUNDED");
    let refunded = shop.app.published::<PaymentRefunded>().await;
    assert_eq!(refunded.len(), 1);
    assert_eq!((refunded[0].cause, refunded[0].amount, refunded[0].full), (RefundCause::Late, PRICE, true));
}

#[tokio::test]
async fn a_paid_order_that_is_cancelled_gets_its_money_back_once() {
    let shop = Shop::start().await;
    for (id, cause, expected) in
        [(41, CancelCause::Admin, RefundCause::Cancelled), (42, CancelCause::Timeout, RefundCause::Late)]
    {
        shop.paid(id, json!({ "payment_type": "qris" })).await;
        shop.deliver(cancelled(id, cause)).await;
        shop.deliver(cancelled(id, cause)).await;
        shop.make_refunds().await;
        shop.make_refunds().await;
        assert_eq!(shop.history(id).await, ["PENDING", "SUCCESS", "REFUNDED"]);
        let refunded = shop.app.published::<PaymentRefunded>().await;
        let mine: Vec<_> = refunded.iter().filter(|event| event.order_id.get() == id).collect();
        assert_eq!(mine.len(), 1);
        assert_eq!((mine[0].cause, mine[0].refunded_total), (expected, PRICE));
    }
}

#[tokio::test]
async fn goods_that_could_not_be_delivered_are_refunded_once() {
    let shop = Shop::start().await;
    let early = testkit::deliver(&shop.consumer(), undelivered(41)).await;
    assert!(matches!(early, Delivered::Failed(HandlerError::NotYet(_))), "{early:?}");
    let token = shop.page(41).await;
    let unpaid = testkit::deliver(&shop.consumer(), undelivered(41)).await;
    assert!(matches!(unpaid, Delivered::Failed(HandlerError::NotYet(_))), "{unpaid:?}");

    shop.pay(&token, json!({ "payment_type": "gopay" })).await;
    shop.poll().await;
    shop.deliver(undelivered(41)).await;
    shop.deliver(undelivered(41)).await;
    assert_eq!(shop.count("select count(*) from refunds").await, 1);
    shop.make_refunds().await;
    shop.deliver(undelivered(41)).await;
    assert_eq!(shop.status(41).await, "REFUNDED");
    let refunded = shop.app.published::<PaymentRefunded>().await;
    assert_eq!(refunded.len(), 1);
    assert_eq!(refunded[0].cause, RefundCause::DeliveryFailed);
}

#[tokio::test]
async fn what_went_back_already_is_not_refunded_again() {
    let shop = Shop::start().await;
    shop.paid(41, json!({ "payment_type": "gopay" })).await;
    shop.refund(41, json!({ "amount": 50_000 })).await.expect(202);
    shop.deliver(undelivered(41)).await;
    shop.make_refunds().await;
    // Both are made at the same time: which one is first is not promised.
    let refunded = shop.app.published::<PaymentRefunded>().await;
    let mut amounts: Vec<i64> = refunded.iter().map(|event| event.amount).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [50_000, PRICE - 50_000]);
    assert_eq!(refunded.iter().map(|event| event.full).collect::<Vec<_>>(), [false, true]);
    assert_eq!(shop.history(41).await, ["PENDING", "SUCCESS", "PARTIALLY_REFUNDED", "REFUNDED"]);
}

#[tokio::test]
async fn the_money_of_another_order_of_the_same_number_stays_where_it_is() {
    let shop = Shop::start().await;
    let token = shop.paid(41, json!({ "payment_type": "gopay" })).await;
    let other = UserId::try_from(ANI + 1).unwrap();
    let total_amount = Some(PRICE + 1);
    let refused = |delivered: Delivered| {
        assert!(matches!(delivered, Delivered::Failed(HandlerError::Reject(_))), "{delivered:?}");
    };
    let consumer = shop.consumer();
    let ended = cancelled(41, CancelCause::Admin);
    refused(testkit::deliver(&consumer, OrderCreated { user_id: other, ..created(41, PRICE) }).await);
    refused(testkit::deliver(&consumer, created(41, PRICE + 1)).await);
    refused(testkit::deliver(&consumer, OrderCancelled { user_id: other, ..ended.clone() }).await);
    refused(testkit::deliver(&consumer, OrderCancelled { total_amount, ..ended }).await);
    refused(testkit::deliver(&consumer, DeliveryFailed { user_id: Some(other), ..undelivered(41) }).await);
    let of_other = CancelPaymentRequest { order_id: 41, user_id: other.to_u64() };
    assert_eq!(shop.grpc().cancel_payment(of_other).await.unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!(shop.payment(41).await["refunds"], json!([]));
    assert_eq!(shop.at_midtrans(&token).await["transaction_status"], "settlement");
    shop.deliver(created(42, PRICE)).await;
    assert_eq!(shop.status(42).await, "PENDING", "its neighbours are opened");
}

#[tokio::test]
async fn midtrans_is_asked_before_goods_leave() {
    let shop = Shop::start().await;
    let confirm = async |user_id| {
        let request = ConfirmPaymentRequest { order_id: 41, user_id };
        shop.grpc().confirm_payment(request).await.map(tonic::Response::into_inner)
    };
    assert_eq!(confirm(0).await.unwrap_err().code(), Code::NotFound);
    let token = shop.paid(41, json!({ "payment_type": "gopay" })).await;
    assert_eq!(confirm(8).await.unwrap_err().code(), Code::FailedPrecondition);
    let answer = confirm(ANI.unsigned_abs()).await.unwrap();
    assert_eq!((answer.paid, answer.confirmed, answer.status.as_str()), (true, true, "SUCCESS"));
    shop.inject_faults(json!({ "down": true })).await;
    let answer = confirm(0).await.unwrap();
    assert_eq!((answer.paid, answer.confirmed), (true, false), "what was known before");
    shop.inject_faults(json!({})).await;
    shop.control("POST", &format!("transactions/{token}/chargeback"), json!({})).await;
    let answer = confirm(0).await.unwrap();
    assert_eq!((answer.paid, answer.confirmed, answer.status.as_str()), (false, true, "REVERSED"));
}
