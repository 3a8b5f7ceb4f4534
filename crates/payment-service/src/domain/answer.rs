//! Classifies what Midtrans answers into the inputs of T2.

use midtrans::{FraudStatus, Transaction, TransactionStatus};

/// The inputs of T2: what Midtrans' `transaction_status` comes to, with what is known of our own doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// `pending`, `authorize`, or a status that nobody knows.
    Waiting,
    Denied,
    /// `capture` that the fraud detection holds back.
    Challenged,
    /// `settlement`, or `capture` that is not held back, of the right amount.
    Paid,
    /// The same of another amount, or in another currency.
    PaidOtherwise,
    Expired,
    /// `cancel` by which neither the order was closed nor a payment given back.
    Cancelled,
    Failed,
    /// We closed it because the order ended, and Midtrans confirmed it.
    Closed,
    /// We closed it because its time was over, and Midtrans confirmed it.
    TimedOut,
    /// `cancel` by which we gave a captured payment back.
    TakenBack,
    PartlyRefunded,
    Refunded,
    /// `chargeback` or `partial_chargeback`: the bank took the money back.
    ChargedBack,
}

/// Who may have caused a `cancel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canceller {
    /// We, to give a captured payment back.
    Refund,
    /// We, because the order is being cancelled.
    Closing,
    /// Somebody else, such as the merchant on Midtrans' dashboard.
    Other,
}

/// Reads what Midtrans says of a transaction. `amount` is what the order costs, in rupiah.
pub fn classify(transaction: &Transaction, amount: Option<i64>, canceller: Canceller) -> Answer {
    use TransactionStatus as Is;
    let as_asked = Some(transaction.charged_for_order()) == amount && transaction.currency == "IDR";
    match transaction.transaction_status {
        Is::Settlement | Is::Capture if transaction.is_paid() => {
            if as_asked {
                Answer::Paid
            } else {
                Answer::PaidOtherwise
            }
        }
        Is::Capture if transaction.fraud_status == Some(FraudStatus::Deny) => Answer::Denied,
        Is::Settlement | Is::Capture => Answer::Challenged,
        Is::Deny => Answer::Denied,
        Is::Cancel => match canceller {
            Canceller::Refund => Answer::TakenBack,
            Canceller::Closing => Answer::Closed,
            Canceller::Other => Answer::Cancelled,
        },
        Is::Expire => Answer::Expired,
        Is::Failure => Answer::Failed,
        Is::Refund => Answer::Refunded,
        Is::PartialRefund => Answer::PartlyRefunded,
        Is::Chargeback | Is::PartialChargeback => Answer::ChargedBack,
        _ => Answer::Waiting,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer(changes: Value, canceller: Canceller) -> Answer {
        let mut transaction = json!({
            "transaction_id": "t-1", "order_id": "o-1", "payment_type": "credit_card",
            "transaction_status": "settlement", "gross_amount": "1000.00", "currency": "IDR",
        });
        for (field, value) in changes.as_object().unwrap() {
            transaction[field] = value.clone();
        }
        classify(&serde_json::from_value(transaction).unwrap(), Some(1_000), canceller)
    }

    fn plain(changes: Value) -> Answer {
        answer(changes, Canceller::Other)
    }

    #[test]
    fn a_status_alone_says_what_it_is() {
        for (status, expected) in [
            ("pending", Answer::Waiting),
            ("authorize", Answer::Waiting),
            ("something_new", Answer::Waiting),
            ("capture", Answer::Paid),
            ("settlement", Answer::Paid),
            ("deny", Answer::Denied),
            ("cancel", Answer::Cancelled),
            ("expire", Answer::Expired),
            ("failure", Answer::Failed),
            ("refund", Answer::Refunded),
            ("partial_refund", Answer::PartlyRefunded),
            ("chargeback", Answer::ChargedBack),
            ("partial_chargeback", Answer::ChargedBack),
        ] {
            assert_eq!(plain(json!({ "transaction_status": status })), expected, "{status}");
        }
    }

    #[test]
    fn the_fraud_status_of_a_capture_counts() {
        for (fraud_status, expected) in [
            (json!("accept"), Answer::Paid),
            (json!("challenge"), Answer::Challenged),
            (json!("deny"), Answer::Denied),
            (json!("new"), Answer::Challenged),
            (json!(1), Answer::Challenged),
        ] {
            let changes = json!({ "transaction_status": "capture", "fraud_status": fraud_status });
            assert_eq!(plain(changes), expected, "{fraud_status}");
        }
    }

    #[test]
    fn a_cancel_is_what_caused_it() {
        for (canceller, expected) in [
            (Canceller::Refund, Answer::TakenBack),
            (Canceller::Closing, Answer::Closed),
            (Canceller::Other, Answer::Cancelled),
        ] {
            assert_eq!(answer(json!({ "transaction_status": "cancel" }), canceller), expected);
        }
    }

    #[test]
    fn another_amount_or_currency_is_not_what_was_asked_for() {
        assert_eq!(plain(json!({ "gross_amount": "999.00" })), Answer::PaidOtherwise);
        assert_eq!(plain(json!({ "currency": "USD" })), Answer::PaidOtherwise);
        assert_eq!(plain(json!({ "currency": 360 })), Answer::PaidOtherwise);
    }

    #[test]
    fn a_fee_on_top_does_not_count() {
        let metadata = |original: &str| json!({ "extra_info": { "gross_amount_info": { "original_amount": original } } });
        let changes = json!({ "gross_amount": "1040.00", "metadata": metadata("1000") });
        assert_eq!(plain(changes), Answer::Paid);
        let changes = json!({ "gross_amount": "1000.00", "metadata": metadata("999") });
        assert_eq!(plain(changes), Answer::PaidOtherwise);
        let changes = json!({ "gross_amount": "10.00", "metadata": metadata("1000") });
        assert_eq!(plain(changes), Answer::PaidOtherwise, "less than the order was paid");
    }
}
