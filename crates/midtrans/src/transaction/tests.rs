use serde_json::{Value, json};
use time::macros::datetime;

use super::{FraudStatus, Transaction, TransactionStatus};

fn read(value: Value) -> Transaction {
    serde_json::from_value(value).unwrap()
}

/// The settled virtual account of section 3.2, as it was on the wire.
fn settled_virtual_account() -> Value {
    json!({
        "status_code": "200", "transaction_id": "A120251205074834XeVg4mKHIMID", "gross_amount": "113500.00",
        "currency": "IDR", "order_id": "INV-7", "payment_type": "bank_transfer", "signature_key": "00",
        "transaction_status": "settlement", "fraud_status": "accept",
        "status_message": "Success, transaction is found", "merchant_id": "G681706693",
        "va_numbers": [{"bank": "bsi", "va_number": "20203314732052930"}], "payment_amounts": [],
        "transaction_time": "2025-12-05 14:48:34", "settlement_time": "2025-12-05 14:49:38",
        "expiry_time": "2025-12-06 14:48:34",
    })
}

#[test]
fn a_settled_virtual_account_is_read_with_unknown_fields_ignored() {
    let transaction = read(settled_virtual_account());
    assert_eq!(transaction.transaction_id, "A120251205074834XeVg4mKHIMID");
    assert_eq!(transaction.gross_amount, 113_500);
    assert_eq!(transaction.charged_for_order(), 113_500);
    assert_eq!(transaction.settlement_time, Some(datetime!(2025-12-05 07:49:38 UTC)));
    assert_eq!(transaction.refunds, []);
    assert!(transaction.is_paid());
}

#[test]
fn an_upper_case_status_is_understood_and_an_unknown_one_kept() {
    let mut value = settled_virtual_account();
    value["transaction_status"] = json!("PENDING");
    assert_eq!(read(value.clone()).transaction_status, TransactionStatus::Pending);
    value["transaction_status"] = json!("Teleported");
    let status = read(value).transaction_status;
    assert_eq!(status, TransactionStatus::Other("teleported".to_owned()));
    assert_eq!(status.as_str(), "teleported");
}

#[test]
fn with_a_fee_on_top_the_order_was_charged_its_original_amount() {
    let mut value = settled_virtual_account();
    value["gross_amount"] = json!("117500.00");
    value["metadata"] = json!({"extra_info": {"gross_amount_info": {
        "original_amount": "113500", "gross_amount": "117500", "customer_imposed_payment_fee": "4000"}}});
    let transaction = read(value);
    assert_eq!(transaction.gross_amount, 117_500);
    assert_eq!(transaction.charged_for_order(), 113_500);
}

#[test]
fn empty_metadata_changes_nothing() {
    let mut value = settled_virtual_account();
    value["metadata"] = json!({});
    assert_eq!(read(value).charged_for_order(), 113_500);
}

#[test]
fn a_capture_counts_as_paid_unless_the_fraud_detection_holds_it_back() {
    let mut value = settled_virtual_account();
    value["transaction_status"] = json!("capture");
    for (fraud, paid) in
        [(json!("accept"), true), (Value::Null, true), (json!("challenge"), false), (json!("deny"), false)]
    {
        value["fraud_status"] = fraud;
        assert_eq!(read(value.clone()).is_paid(), paid, "{value}");
    }
}

#[test]
fn refunds_are_read_one_by_one_and_together() {
    let mut value = settled_virtual_account();
    value["transaction_status"] = json!("partial_refund");
    value["refund_amount"] = json!("7000.00");
    value["refunds"] = json!([
        {"refund_chargeback_id": 1, "refund_amount": "5000.00", "created_at": "2025-12-07 10:00:00",
         "reason": "broken", "refund_key": "r-1", "refund_method": "online",
         "bank_confirmed_at": "2025-12-07 10:01:00"},
        {"refund_chargeback_id": 2, "refund_amount": "2000.00", "refund_key": "r-2"},
    ]);
    let transaction = read(value);
    assert_eq!(transaction.refund_amount, Some(7000));
    assert_eq!(transaction.refunds[0].refund_key.as_deref(), Some("r-1"));
    assert_eq!(transaction.refunds[0].bank_confirmed_at, Some(datetime!(2025-12-07 03:01:00 UTC)));
    assert_eq!(transaction.refunds[1].refund_amount, 2000);
}

#[test]
fn what_does_not_decide_may_be_of_any_type() {
    let odd = [json!(null), json!(""), json!(7), json!(7.5), json!([]), json!({}), json!(true), json!("x")];
    for field in [
        "transaction_time",
        "settlement_time",
        "expiry_time",
        "refund_amount",
        "refunds",
        "metadata",
        "payment_type",
        "order_id",
        "custom_field1",
        "va_numbers",
        "status_message",
    ] {
        for value in &odd {
            let mut transaction = settled_virtual_account();
            transaction[field] = value.clone();
            let transaction = read(transaction);
            assert!(transaction.is_paid(), "{field} = {value}");
            assert_eq!(transaction.charged_for_order(), 113_500, "{field} = {value}");
        }
    }
    for info in
        [json!({"extra_info": ""}), json!({"extra_info": {"gross_amount_info": {"original_amount": []}}})]
    {
        let mut transaction = settled_virtual_account();
        transaction["metadata"] = info;
        assert_eq!(read(transaction).charged_for_order(), 113_500);
    }
}

#[test]
fn a_refund_that_cannot_be_read_does_not_hide_the_others() {
    let mut value = settled_virtual_account();
    value["refunds"] = json!([
        null, {"refund_amount": "x"},
        {"refund_amount": 5000.0, "refund_key": 7, "reason": null, "bank_confirmed_at": 1},
    ]);
    let refunds = read(value).refunds;
    assert_eq!((refunds.len(), refunds[0].refund_amount, &refunds[0].refund_key), (1, 5_000, &None));
}

#[test]
fn an_amount_may_be_a_number_and_a_currency_missing() {
    for amount in [json!(113_500), json!(113_500.0), json!("113500")] {
        let mut value = settled_virtual_account();
        value["gross_amount"] = amount;
        value["currency"] = json!(null);
        let transaction = read(value);
        assert_eq!((transaction.gross_amount, transaction.currency.as_str()), (113_500, "IDR"));
    }
}

#[test]
fn an_original_amount_above_what_was_paid_is_not_believed() {
    let mut value = settled_virtual_account();
    value["metadata"] = json!({"extra_info": {"gross_amount_info": {"original_amount": "999999"}}});
    assert_eq!(read(value).charged_for_order(), 113_500);
}

#[test]
fn a_fractional_amount_is_refused() {
    let mut value = settled_virtual_account();
    value["gross_amount"] = json!("113500.50");
    assert!(serde_json::from_value::<Transaction>(value).is_err());
}

#[test]
fn every_status_survives_its_own_name() {
    let names = "authorize capture settlement pending deny cancel expire failure refund partial_refund chargeback \
                 partial_chargeback";
    for name in names.split(' ') {
        let status = TransactionStatus::parse(name);
        assert_eq!(status.as_str(), name);
        assert!(!matches!(status, TransactionStatus::Other(_)), "{name}");
    }
    for name in ["accept", "challenge", "deny"] {
        assert_eq!(FraudStatus::parse(&name.to_uppercase()).as_str(), name);
    }
}
