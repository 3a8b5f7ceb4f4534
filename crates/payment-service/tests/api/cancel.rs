//! `CancelPayment`: an unpaid payment is closed for good, as Midtrans confirms it.

use contracts::{
    OrderId,
    events::{PaymentFailed, PaymentSuccess},
    grpc::payment::{CancelOutcome, CancelPaymentRequest},
};
use serde_json::json;
use tonic::Code;

use crate::shop::{PRICE, Shop, created};

#[tokio::test]
async fn a_payment_without_a_page_is_closed_here() {
    let shop = Shop::start().await;
    assert_eq!(shop.cancel(41).await, CancelOutcome::Unknown, "nothing is known of it");
    shop.deliver(created(41, PRICE)).await;
    assert_eq!(shop.cancel(41).await, CancelOutcome::Cancelled);
    assert_eq!(shop.cancel(41).await, CancelOutcome::Cancelled);
    assert_eq!(shop.history(41).await, ["PENDING", "CANCELLED"]);
    let request = CancelPaymentRequest { order_id: 0, user_id: 0 };
    assert_eq!(shop.grpc().cancel_payment(request).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_open_page_is_closed_and_a_chosen_method_called_off() {
    let shop = Shop::start().await;
    let unused = shop.page(41).await;
    assert_eq!(shop.cancel(41).await, CancelOutcome::Cancelled);
    assert_eq!(shop.at_midtrans(&unused).await["page"], "canceled");

    for (id, options) in [
        (42, json!({ "payment_type": "bank_transfer", "outcome": "pending" })),
        (43, json!({ "outcome": "challenge" })),
    ] {
        let token = shop.page(id).await;
        shop.pay(&token, options).await;
        shop.poll().await;
        assert_eq!(shop.cancel(id).await, CancelOutcome::Cancelled);
        assert_eq!(shop.at_midtrans(&token).await["transaction_status"], "cancel");
        assert_eq!(shop.status(id).await, "CANCELLED");
    }
    let denied = shop.page(44).await;
    shop.pay(&denied, json!({ "outcome": "deny" })).await;
    assert_eq!(shop.cancel(44).await, CancelOutcome::Cancelled);
    assert_eq!(shop.at_midtrans(&denied).await["page"], "canceled", "no further card is taken");
    assert_eq!(shop.app.published::<PaymentFailed>().await, []);
}

#[tokio::test]
async fn what_was_paid_meanwhile_is_paid() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({})).await;
    assert_eq!(shop.cancel(41).await, CancelOutcome::Paid);
    assert_eq!(shop.status(41).await, "SUCCESS");
    assert_eq!(shop.app.published::<PaymentSuccess>().await.len(), 1);
    // Who asks again has missed it, so it is published again.
    assert_eq!(shop.cancel(41).await, CancelOutcome::Paid);
    let published = shop.app.published::<PaymentSuccess>().await;
    assert_eq!((published.len(), &published[0]), (2, &published[1]));
}

#[tokio::test]
async fn what_ended_by_itself_is_closed() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({ "outcome": "expire" })).await;
    assert_eq!(shop.cancel(41).await, CancelOutcome::Cancelled);
}

#[tokio::test]
async fn a_payment_in_review_is_neither_paid_nor_closed() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({ "gross_amount": 1 })).await;
    assert_eq!(shop.cancel(41).await, CancelOutcome::Unknown);
    assert_eq!(shop.status(41).await, "REVIEW");
}

#[tokio::test]
async fn without_midtrans_nothing_is_known() {
    let shop = Shop::start().await;
    shop.page(41).await;
    shop.inject_faults(json!({ "down": true })).await;
    assert_eq!(shop.cancel(41).await, CancelOutcome::Unknown);
    assert_eq!(shop.status(41).await, "PENDING");
}

#[tokio::test]
async fn a_notification_of_our_own_cancel_may_overtake_its_answer() {
    let shop = Shop::start().await;
    let token = shop.page(41).await;
    shop.pay(&token, json!({ "payment_type": "bank_transfer", "outcome": "pending" })).await;
    // As far as CancelPayment has come when Midtrans' answer to its cancel is still on the way.
    let order = OrderId::try_from(41_i64).unwrap();
    let mut db = shop.app.pool().acquire().await.unwrap();
    payment_service::store::start_closing(&mut db, order).await.unwrap();
    shop.pay(&token, json!({ "outcome": "cancel" })).await;
    shop.poll().await;
    assert_eq!(shop.status(41).await, "CANCELLED");
    assert_eq!(
        shop.app.published::<PaymentFailed>().await,
        [],
        "the order is being cancelled: it has not failed"
    );
    assert_eq!(shop.cancel(41).await, CancelOutcome::Cancelled);
}
