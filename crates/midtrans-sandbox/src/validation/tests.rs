use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use super::{charge, page, refund};
use crate::commands::NewPage;
use crate::order::Destinations;

const NOW: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);

fn read(body: &Value) -> Result<NewPage, Vec<String>> {
    page(body, Destinations::default(), NOW)
}

fn order() -> Value {
    json!({"transaction_details": {"order_id": "INV-1", "gross_amount": 10_000}})
}

fn with(member: &str, value: Value) -> Value {
    let mut order = order();
    order[member] = value;
    order
}

#[test]
fn nothing_at_all_lists_what_is_required() {
    for body in [Value::Null, json!({}), json!([]), json!("text")] {
        let errors = read(&body).unwrap_err();
        assert_eq!(
            errors,
            [
                "transaction_details.gross_amount is required",
                "transaction_details.gross_amount is not a number",
                "transaction_details.order_id is required",
            ]
        );
    }
}

#[test]
fn an_amount_is_a_positive_whole_number() {
    for (amount, accepted) in [
        (json!(1), true),
        (json!("10000"), true),
        (json!(10_000.0), true),
        (json!(0), false),
        (json!(-1), false),
        (json!(10.5), false),
        (json!("ten"), false),
        (json!(1e300), false),
    ] {
        let body = json!({"transaction_details": {"order_id": "INV-1", "gross_amount": amount}});
        assert_eq!(read(&body).is_ok(), accepted, "{body}");
    }
}

#[test]
fn items_have_to_add_up() {
    let items = |quantity: i64| {
        json!([{"name": "Bear", "price": 6_000, "quantity": quantity},
        {"name": "Discount", "price": -2_000, "quantity": 1}])
    };
    assert!(read(&with("item_details", items(2))).is_ok());
    assert_eq!(
        read(&with("item_details", items(1))).unwrap_err(),
        ["transaction_details.gross_amount is not equal to the sum of item_details"]
    );
}

#[test]
fn long_texts_are_refused() {
    let long = "x".repeat(51);
    let body = json!({"transaction_details": {"order_id": long, "gross_amount": 1}});
    assert!(read(&body).is_err());
    let items = json!([{"name": long, "price": 10_000, "quantity": 1}]);
    assert!(read(&with("item_details", items)).is_err());
    assert!(read(&with("callbacks", json!({"finish": "x".repeat(256)}))).is_err());
}

#[test]
fn a_page_is_open_for_a_day_unless_told_otherwise() {
    let closes = |body: Value| read(&body).unwrap().closes_at - NOW;
    assert_eq!(closes(order()), Duration::from_hours(24));
    let half_an_hour = json!({"unit": "minutes", "duration": 30});
    assert_eq!(closes(with("page_expiry", half_an_hour.clone())), Duration::from_mins(30));
    assert_eq!(
        closes(with("expiry", half_an_hour)),
        Duration::from_hours(24),
        "the method's clock has no start yet"
    );
    let started = json!({"start_time": "2030-01-01 19:00:00 +0700", "unit": "hour", "duration": 1});
    assert_eq!(closes(with("expiry", started)), Duration::from_hours(1));
}

#[test]
fn an_expiry_is_long_enough_well_written_and_not_over() {
    for (expiry, accepted) in [
        (json!({"unit": "second", "duration": 20}), true),
        (json!({"unit": "second", "duration": 19}), false),
        (json!({"unit": "fortnight", "duration": 1}), false),
        (json!({"unit": "minute", "duration": 0}), false),
        (json!({"unit": "minute", "duration": 1, "start_time": "2030-12-20 18:11:08 +0700"}), true),
        (json!({"unit": "minute", "duration": 1, "start_time": "tomorrow"}), false),
        (json!({"unit": "minute", "duration": 1, "start_time": "2029-12-20 18:11:08 +0700"}), false),
    ] {
        assert_eq!(read(&with("expiry", expiry.clone())).is_ok(), accepted, "{expiry}");
    }
}

#[test]
fn an_expiry_of_more_than_a_week_becomes_a_week() {
    let page = read(&with("expiry", json!({"unit": "day", "duration": 30}))).unwrap();
    assert_eq!(page.payment_expiry.unwrap().duration, Duration::from_hours(7 * 24));
}

#[test]
fn a_charge_needs_a_payment_type_it_knows() {
    let read = |body: Value| charge(&body, Destinations::default(), NOW);
    assert!(read(order()).is_err());
    assert!(read(with("payment_type", json!("barter"))).is_err());
    assert!(read(with("payment_type", json!("gopay"))).is_ok());
    assert!(read(with("payment_type", json!("credit_card"))).is_err(), "without a token");
}

#[test]
fn a_refund_without_a_body_is_of_everything() {
    let all = refund(&Value::Null, false).unwrap();
    assert_eq!((all.key, all.amount), (None, None));
    let part = refund(&json!({"refund_key": "r-1_A", "amount": 5_000, "reason": "broken"}), true).unwrap();
    assert_eq!((part.key.as_deref(), part.amount, part.direct), (Some("r-1_A"), Some(5_000), true));
    assert!(refund(&json!({"refund_key": "no blanks"}), false).is_err());
    assert!(refund(&json!({"amount": "all"}), false).is_err());
}
