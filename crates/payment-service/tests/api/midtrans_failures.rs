//! What Midtrans may answer that nobody hopes for.

use contracts::events::{PaymentFailed, PaymentFailure, PaymentReversed, PaymentSuccess};
use contracts::grpc::payment::CancelOutcome;
use serde_json::{Value, json};
use tonic::Code;

use crate::{
    scripted::Scripted,
    shop::{PRICE, Shop, created, undelivered},
};

async fn with_scripted() -> (Shop, Scripted) {
    let (scripted, base) = Scripted::start().await;
    let shop = Shop::with_flags(&[&format!("--midtrans-local-url={base}")]).await;
    (shop, scripted)
}

fn transaction(status: &str, changes: Value) -> Value {
    let mut body = json!({
        "status_code": "200", "transaction_id": "t-1", "gross_amount": "150000.00", "currency": "IDR",
        "order_id": "THE-ORDER", "payment_type": "gopay", "transaction_status": status,
        "status_message": "Success, transaction is found",
    });
    for (member, value) in changes.as_object().unwrap() {
        body[member] = value.clone();
    }
    body
}

#[tokio::test]
async fn a_page_that_midtrans_refuses_fails_the_payment() {
    let (shop, scripted) = with_scripted().await;
    shop.deliver(created(41, PRICE)).await;
    scripted.answers("transactions", 400, json!({ "error_messages": ["customer_details.email is invalid"] }));
    assert_eq!(shop.ask_link(41, PRICE).await.unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!(shop.history(41).await, ["PENDING", "FAILED"]);
    let failed = shop.app.published::<PaymentFailed>().await;
    assert_eq!((failed.len(), failed[0].reason), (1, PaymentFailure::NotCreated));
}

#[tokio::test]
async fn an_id_that_midtrans_knows_already_is_replaced() {
    let (shop, scripted) = with_scripted().await;
    shop.deliver(created(41, PRICE)).await;
    scripted.answers(
        "transactions",
        400,
        json!({ "error_messages": ["transaction_details.order_id sudah digunakan"] }),
    );
    assert_eq!(shop.ask_link(41, PRICE).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(shop.count("select count(*) from payment_attempts where id_taken").await, 5);
    shop.sql("delete from payment_attempts where n > 1").await;
    scripted.makes_pages();
    assert_eq!(shop.ask_link(41, PRICE).await.unwrap().payment_url, "https://pay.example/t");
    assert_eq!(shop.count("select max(n)::bigint from payment_attempts").await, 2);
}

#[tokio::test]
async fn a_key_that_is_not_accepted_makes_the_service_not_ready_until_it_is() {
    let (shop, scripted) = with_scripted().await;
    shop.deliver(created(41, PRICE)).await;
    let ready = async || shop.app.anyone().get("/health/ready").await.status();
    assert_eq!(ready().await, 200);
    for code in [401, 402] {
        scripted.answers("transactions", code, json!({ "error_messages": ["Access denied"] }));
        assert_eq!(shop.ask_link(41, PRICE).await.unwrap_err().code(), Code::Unavailable);
        let health = shop.app.anyone().get("/health/ready").await;
        assert_eq!((health.status(), &health.json()["checks"]["midtrans"]), (503, &json!(false)));
        shop.core().midtrans.check_key().await;
        assert_eq!(ready().await, 200, "an unknown payment is an answer to somebody whose key counts");
    }
    assert_eq!(shop.status(41).await, "PENDING");
}

#[tokio::test]
async fn an_overloaded_midtrans_is_asked_again() {
    let (shop, scripted) = with_scripted().await;
    shop.deliver(created(41, PRICE)).await;
    for code in [429, 500, 503] {
        scripted.answers("transactions", code, json!({ "error_messages": ["not now"] }));
        assert_eq!(shop.ask_link(41, PRICE).await.unwrap_err().code(), Code::Unavailable);
    }
    scripted.makes_pages();
    shop.ask_link(41, PRICE).await.unwrap();
}

#[tokio::test]
async fn a_fee_on_top_is_not_another_amount() {
    let (shop, scripted) = with_scripted().await;
    scripted.makes_pages();
    shop.page(41).await;
    let info = json!({ "original_amount": "150000", "gross_amount": "154000", "customer_imposed_payment_fee": "4000" });
    let metadata = json!({ "extra_info": { "gross_amount_info": info } });
    let changes = json!({ "gross_amount": "154000.00", "metadata": metadata });
    scripted.answers("status", 200, transaction("settlement", changes));
    shop.poll().await;
    assert_eq!(shop.app.published::<PaymentSuccess>().await[0].amount, PRICE);
}

#[tokio::test]
async fn another_currency_is_another_amount() {
    let (shop, scripted) = with_scripted().await;
    scripted.makes_pages();
    shop.page(41).await;
    scripted.answers("status", 200, transaction("settlement", json!({ "currency": "USD" })));
    shop.poll().await;
    assert_eq!(shop.status(41).await, "REVIEW");
}

#[tokio::test]
async fn a_payment_that_settles_while_it_is_closed_is_paid() {
    let (shop, scripted) = with_scripted().await;
    scripted.makes_pages();
    shop.page(41).await;
    scripted.answers("status", 200, transaction("pending", json!({ "status_code": "201" })));
    let refused = json!({ "status_code": "412", "status_message": "Transaction status cannot be updated." });
    scripted.answers("cancel", 200, refused);
    assert_eq!(shop.cancel(41).await, CancelOutcome::Unknown, "pending, yet not to be closed");
    assert_eq!(shop.status(41).await, "PENDING");
    scripted.answers("status", 200, transaction("settlement", json!({})));
    assert_eq!(shop.cancel(41).await, CancelOutcome::Paid);
}

#[tokio::test]
async fn a_status_that_nobody_knows_changes_nothing() {
    let (shop, scripted) = with_scripted().await;
    scripted.makes_pages();
    shop.page(41).await;
    scripted.answers("status", 200, transaction("teleported", json!({})));
    shop.poll().await;
    assert_eq!(shop.cancel(41).await, CancelOutcome::Unknown);
    assert_eq!(shop.history(41).await, ["PENDING"]);
}

#[tokio::test]
async fn a_second_payment_of_the_same_order_goes_back() {
    let (shop, scripted) = with_scripted().await;
    scripted.makes_pages();
    shop.page(41).await;
    scripted.answers("status", 200, transaction("settlement", json!({})));
    shop.poll().await;
    shop.sql(
        "insert into notifications (midtrans_order_id, status_code, gross_amount, transaction_ids, transaction_status)
         select midtrans_order_id, '200', '150000.00', array['t-2'], 'settlement' from payment_attempts",
    )
    .await;
    shop.enqueue_notifications().await;
    let again = json!({ "transaction_id": "t-2", "order_id": midtrans_id(&shop).await });
    scripted.answers("status", 200, transaction("settlement", again));
    shop.handle_notifications(1).await;
    shop.handle_notifications(1).await;
    let payment = shop.payment(41).await;
    assert_eq!(payment["refunds"], json!([{ "cause": "late", "amount": PRICE, "state": "REQUESTED" }]));
    assert_eq!((&payment["status"], &payment["refunded_amount"]), (&json!("SUCCESS"), &json!(0)));
    assert_eq!(shop.app.published::<PaymentSuccess>().await.len(), 1);
}

#[tokio::test]
async fn the_end_of_one_transaction_is_not_the_end_while_another_is_alive() {
    let (shop, scripted) = with_scripted().await;
    scripted.makes_pages();
    shop.page(41).await;
    let order_id = midtrans_id(&shop).await;
    let cancelled = json!({ "order_id": order_id });
    scripted.answers("t-1/status", 200, transaction("cancel", cancelled));
    scripted.answers("status", 200, transaction("pending", json!({ "transaction_id": "t-2" })));
    shop.sql(
        "insert into notifications (midtrans_order_id, status_code, gross_amount, transaction_ids, transaction_status)
         select midtrans_order_id, '202', '150000.00', array['t-1'], 'cancel' from payment_attempts",
    )
    .await;
    shop.enqueue_notifications().await;
    shop.handle_notifications(1).await;
    assert_eq!(shop.status(41).await, "PENDING");
}

async fn midtrans_id(shop: &Shop) -> String {
    sqlx::query_scalar("select midtrans_order_id from payment_attempts").fetch_one(shop.pool()).await.unwrap()
}

#[tokio::test]
async fn a_refund_that_is_refused_for_good_is_left_to_a_person() {
    for (id, status, refusal) in [
        (41, 200, json!({ "status_code": "414", "status_message": "Refund request is rejected" })),
        (42, 200, json!({ "status_code": "412", "status_message": "Transaction status cannot be updated." })),
        (43, 200, json!({ "status_code": "202", "status_message": "Refund denied by the bank" })),
        (44, 400, json!({ "status_code": "400", "status_message": "One or more parameters are invalid" })),
    ] {
        let (shop, scripted) = with_scripted().await;
        scripted.makes_pages();
        shop.page(id).await;
        scripted.answers("status", 200, transaction("settlement", json!({})));
        shop.poll().await;
        shop.deliver(undelivered(id)).await;
        scripted.answers("refund", status, refusal);
        shop.make_refunds().await;
        assert_eq!(shop.payment(id).await["refunds"][0]["state"], "MANUAL", "{id}");
    }
}

#[tokio::test]
async fn a_refund_that_was_accepted_before_is_looked_up() {
    let (shop, scripted) = with_scripted().await;
    scripted.makes_pages();
    shop.page(41).await;
    scripted.answers("status", 200, transaction("settlement", json!({})));
    shop.poll().await;
    shop.deliver(undelivered(41)).await;
    scripted.answers("refund", 200, json!({ "status_code": "406", "status_message": "Duplicate refund ID" }));
    shop.make_refunds().await;
    assert_eq!(shop.payment(41).await["refunds"][0]["state"], "SENT");
    let key: String =
        sqlx::query_scalar("select refund_key from refunds").fetch_one(shop.pool()).await.unwrap();
    let refunds = json!([{ "refund_key": key, "refund_amount": "150000.00" }]);
    let refunded = transaction("refund", json!({ "refund_amount": "150000.00", "refunds": refunds }));
    scripted.answers("status", 200, refunded);
    shop.make_refunds().await;
    assert_eq!(shop.status(41).await, "REFUNDED");
    let sent = scripted.asked().iter().filter(|asked| asked.ends_with("/refund")).count();
    assert_eq!(sent, 1, "what is listed is not sent again");
}

#[tokio::test]
async fn an_expired_page_that_midtrans_declines_to_close_is_over() {
    let (shop, scripted) = with_scripted().await;
    scripted.makes_pages();
    shop.page(41).await;
    scripted.answers("cancel", 400, json!({ "error_messages": ["token is expired"] }));
    assert_eq!(shop.cancel(41).await, CancelOutcome::Unknown, "it may still be paid");
    shop.sql("update payments set expires_at = now() - interval '2 minutes'").await;
    shop.poll().await;
    assert_eq!(shop.history(41).await, ["PENDING", "FAILED"]);
}

#[tokio::test]
async fn a_settlement_with_odd_additions_is_a_settlement() {
    let odd = json!({
        "transaction_time": 1_733_500_000, "settlement_time": {}, "refunds": null, "metadata": "",
        "refund_amount": [], "payment_type": null, "va_numbers": 7, "custom_field1": false,
    });
    let (shop, scripted) = with_scripted().await;
    scripted.makes_pages();
    shop.page(41).await;
    scripted.answers("status", 200, transaction("settlement", odd));
    shop.poll().await;
    assert_eq!(shop.status(41).await, "SUCCESS");
    assert_eq!(shop.app.published::<PaymentSuccess>().await[0].amount, PRICE);
}

#[tokio::test]
async fn a_refund_larger_than_the_payment_is_booked_as_what_was_paid() {
    let (shop, scripted) = with_scripted().await;
    scripted.makes_pages();
    shop.page(41).await;
    scripted.answers("status", 200, transaction("settlement", json!({})));
    shop.poll().await;
    let refunds = json!([{ "refund_key": "x", "refund_amount": "999999.00" }]);
    scripted.answers(
        "status",
        200,
        transaction("refund", json!({ "refund_amount": null, "refunds": refunds })),
    );
    shop.poll().await;
    assert_eq!(
        (shop.status(41).await.as_str(), &shop.payment(41).await["refunded_amount"]),
        ("REFUNDED", &json!(PRICE))
    );
}

#[tokio::test]
async fn an_intention_to_close_does_not_explain_what_happens_after_it() {
    let (shop, scripted) = with_scripted().await;
    scripted.makes_pages();
    shop.page(41).await;
    scripted.answers("status", 200, transaction("pending", json!({ "status_code": "201" })));
    scripted.answers("cancel", 500, json!({}));
    assert_eq!(shop.cancel(41).await, CancelOutcome::Unknown);
    scripted.answers("status", 200, transaction("capture", json!({})));
    shop.poll().await;
    assert_eq!(shop.status(41).await, "SUCCESS");
    scripted.answers("status", 200, transaction("cancel", json!({})));
    shop.poll().await;
    assert_eq!(shop.history(41).await, ["PENDING", "SUCCESS", "REVERSED"]);
    assert_eq!(shop.app.published::<PaymentReversed>().await.len(), 1);
}
