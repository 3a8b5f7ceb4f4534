use serde_json::{Value, json};
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);

fn refund(id: i64, amount: i64, state: RefundState) -> Refund {
    Refund {
        id,
        order_id: OrderId::try_from(7_i64).unwrap(),
        midtrans_order_id: "local-7-1-x".to_owned(),
        transaction_id: "t-1".to_owned(),
        refund_key: format!("key-{id}"),
        cause: RefundCause::Admin,
        amount,
        reason: None,
        state,
        method: None,
        reference: None,
        created_at: NOW,
    }
}

fn transaction(changes: Value) -> Transaction {
    let mut transaction = json!({
        "transaction_id": "t-1", "order_id": "local-7-1-x", "payment_type": "gopay",
        "transaction_status": "settlement", "gross_amount": "1000.00", "currency": "IDR",
    });
    for (member, value) in changes.as_object().unwrap() {
        transaction[member] = value.clone();
    }
    serde_json::from_value(transaction).unwrap()
}

#[test]
fn what_is_on_its_way_is_not_left_to_refund() {
    let refunds = [
        refund(1, 100, RefundState::Requested),
        refund(2, 200, RefundState::Refused),
        refund(3, 300, RefundState::Done),
    ];
    assert_eq!(left_to_refund(1_000, &refunds, "t-1"), 600);
    assert_eq!(left_to_refund(300, &refunds, "t-1"), 0);
    assert_eq!(left_to_refund(1_000, &refunds, "t-2"), 1_000);
}

#[test]
fn the_list_in_the_answer_says_which_refunds_are_done() {
    let refunds = [
        refund(1, 100, RefundState::Done),
        refund(2, 200, RefundState::Sent),
        refund(3, 300, RefundState::Requested),
    ];
    let listed = json!([
        { "refund_key": "key-1", "refund_amount": "100.00" },
        { "refund_key": "key-2", "refund_amount": "200.00" },
        { "refund_key": "dashboard", "refund_amount": "50.00" },
    ]);
    let answer = transaction(json!({ "transaction_status": "partial_refund", "refunds": listed }));
    let foreign = Booking::Foreign { key: "dashboard".to_owned(), amount: 50 };
    assert_eq!(bookings(&refunds, &answer), [Booking::Ours(2), foreign]);
}

#[test]
fn without_a_list_the_sum_says_it() {
    let refunds = [refund(1, 100, RefundState::Done), refund(2, 200, RefundState::Sent)];
    let answer =
        |sum: &str| transaction(json!({ "transaction_status": "partial_refund", "refund_amount": sum }));
    assert_eq!(bookings(&refunds, &answer("100.00")), []);
    assert_eq!(bookings(&refunds, &answer("300.00")), [Booking::Ours(2)]);
    let foreign = |amount| Booking::Foreign { key: "t-1-350".to_owned(), amount };
    assert_eq!(bookings(&refunds, &answer("350.00")), [Booking::Ours(2), foreign(50)]);
    let whole = transaction(json!({ "transaction_status": "refund" }));
    let rest = Booking::Foreign { key: "t-1-1000".to_owned(), amount: 900 };
    assert_eq!(bookings(&refunds[..1], &whole), [rest]);
}

#[test]
fn a_cancel_books_the_refund_that_was_sent_as_one() {
    let mut sent = refund(1, 1_000, RefundState::Sent);
    sent.method = Some(RefundMethod::Cancel);
    let answer = transaction(json!({ "transaction_status": "cancel" }));
    assert_eq!(bookings(&[sent, refund(2, 1, RefundState::Requested)], &answer), [Booking::Ours(1)]);
}

#[test]
fn the_status_decides_how_money_goes_back() {
    let whole = refund(1, 1_000, RefundState::Requested);
    let part = refund(1, 400, RefundState::Requested);
    let by_status = |refund: &Refund, status: &str| {
        plan(refund, &transaction(json!({ "transaction_status": status })), NOW)
    };
    assert_eq!(by_status(&whole, "capture"), Plan::Cancel);
    assert_eq!(
        by_status(&part, "capture"),
        Plan::Wait(UNTIL_SETTLED),
        "a cancel would call off the rest as well"
    );
    assert_eq!(by_status(&whole, "settlement"), Plan::Refund);
    assert_eq!(by_status(&part, "partial_refund"), Plan::Refund);
    assert_eq!(by_status(&whole, "pending"), Plan::Wait(SOON));
    for gone in ["deny", "cancel", "expire", "failure", "refund", "chargeback"] {
        assert_eq!(by_status(&whole, gone), Plan::Refuse, "{gone}");
    }
}

#[test]
fn a_held_back_capture_can_be_cancelled_and_a_refused_one_holds_nothing() {
    let whole = refund(1, 1_000, RefundState::Requested);
    let by_fraud_status = |fraud: &str| {
        let answer = transaction(json!({ "transaction_status": "capture", "fraud_status": fraud }));
        plan(&whole, &answer, NOW)
    };
    assert_eq!(by_fraud_status("challenge"), Plan::Cancel);
    assert_eq!(by_fraud_status("deny"), Plan::Refuse);
}

#[test]
fn what_midtrans_cannot_send_back_is_left_to_a_person() {
    for method in NOT_REFUNDABLE {
        let answer = transaction(json!({ "payment_type": method }));
        assert_eq!(plan(&refund(1, 1_000, RefundState::Requested), &answer, NOW), Plan::Manual, "{method}");
    }
    let old = Refund { created_at: NOW - KEY_LIFETIME, ..refund(1, 1_000, RefundState::Sent) };
    assert_eq!(plan(&old, &transaction(json!({})), NOW), Plan::Manual, "its key counts no more");
}

#[test]
fn what_the_list_leaves_out_is_in_the_sum() {
    let refunds = [refund(1, 100, RefundState::Sent)];
    let listed = json!([{ "refund_key": "dashboard", "refund_amount": "50.00" }, { "refund_key": "key-1" }]);
    let changes =
        json!({ "transaction_status": "partial_refund", "refund_amount": "150.00", "refunds": listed });
    let expected = [Booking::Foreign { key: "dashboard".to_owned(), amount: 50 }, Booking::Ours(1)];
    assert_eq!(bookings(&refunds, &transaction(changes)), expected);
}

#[test]
fn a_part_of_which_nobody_says_how_much_is_not_the_whole() {
    let changes = json!({ "transaction_status": "partial_refund", "refunds": null, "refund_amount": [] });
    assert_eq!(bookings(&[refund(1, 100, RefundState::Sent)], &transaction(changes)), []);
    let whole = json!({ "transaction_status": "refund", "refunds": null, "refund_amount": [] });
    let all = Booking::Foreign { key: "t-1-1000".to_owned(), amount: 1_000 };
    assert_eq!(bookings(&[], &transaction(whole)), [all]);
}
