//! What Midtrans says, as far as T2 tells it apart.

use midtrans::{FraudStatus, Transaction, TransactionStatus};

/// The inputs of T2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// `pending`, `authorize`, or a status that nobody knows.
    Waiting,
    /// `deny`.
    Denied,
    /// `capture` that the fraud detection holds back.
    Challenged,
    /// `settlement`, or `capture` that is not held back, of the right amount.
    Paid,
    /// The same of another amount, or in another currency.
    PaidOtherwise,
    /// `expire`.
    Expired,
    /// `cancel` that was not ours.
    Cancelled,
    /// `failure`.
    Failed,
    /// We closed it because the order ended, and Midtrans confirmed it.
    Closed,
    /// We closed it because its time was over, and Midtrans confirmed it.
    TimedOut,
    /// `cancel` by which we gave a captured payment back.
    TakenBack,
    /// `partial_refund`.
    PartlyRefunded,
    /// `refund`.
    Refunded,
    /// `chargeback`, `partial_chargeback`.
    ChargedBack,
}

/// News about an attempt to pay.
#[derive(Debug, Clone, Copy)]
pub enum Heard<'a> {
    /// What GET status, or an action, answered.
    Transaction(&'a Transaction),
    /// Midtrans closed it for us because the order ended.
    Closed,
    /// Midtrans closed it for us at its end.
    TimedOut,
}

impl Heard<'_> {
    /// The word for it in the history.
    pub fn cause(&self) -> &str {
        match self {
            Self::Transaction(transaction) => transaction.transaction_status.as_str(),
            Self::Closed => "closed",
            Self::TimedOut => "timed_out",
        }
    }
}

/// Reads an answer. `amount` is what was asked for; `we_cancelled` whether a cancel of it was sent as a refund.
pub fn see(transaction: &Transaction, amount: Option<i64>, we_cancelled: bool) -> Seen {
    use TransactionStatus as Is;
    let as_asked = Some(transaction.charged_for_order()) == amount && transaction.currency == "IDR";
    match transaction.transaction_status {
        Is::Settlement | Is::Capture if transaction.is_paid() => {
            if as_asked {
                Seen::Paid
            } else {
                Seen::PaidOtherwise
            }
        }
        Is::Capture if transaction.fraud_status == Some(FraudStatus::Deny) => Seen::Denied,
        Is::Settlement | Is::Capture => Seen::Challenged,
        Is::Deny => Seen::Denied,
        Is::Cancel if we_cancelled => Seen::TakenBack,
        Is::Cancel => Seen::Cancelled,
        Is::Expire => Seen::Expired,
        Is::Failure => Seen::Failed,
        Is::Refund => Seen::Refunded,
        Is::PartialRefund => Seen::PartlyRefunded,
        Is::Chargeback | Is::PartialChargeback => Seen::ChargedBack,
        _ => Seen::Waiting,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn seen(changes: Value, we_cancelled: bool) -> Seen {
        let mut transaction = json!({
            "transaction_id": "t-1", "order_id": "o-1", "payment_type": "credit_card",
            "transaction_status": "settlement", "gross_amount": "1000.00", "currency": "IDR",
        });
        for (member, value) in changes.as_object().unwrap() {
            transaction[member] = value.clone();
        }
        see(&serde_json::from_value(transaction).unwrap(), Some(1_000), we_cancelled)
    }

    #[test]
    fn a_status_alone_says_what_is_seen() {
        for (status, expected) in [
            ("pending", Seen::Waiting),
            ("authorize", Seen::Waiting),
            ("something_new", Seen::Waiting),
            ("capture", Seen::Paid),
            ("settlement", Seen::Paid),
            ("deny", Seen::Denied),
            ("cancel", Seen::Cancelled),
            ("expire", Seen::Expired),
            ("failure", Seen::Failed),
            ("refund", Seen::Refunded),
            ("partial_refund", Seen::PartlyRefunded),
            ("chargeback", Seen::ChargedBack),
            ("partial_chargeback", Seen::ChargedBack),
        ] {
            assert_eq!(seen(json!({ "transaction_status": status }), false), expected, "{status}");
        }
    }

    #[test]
    fn the_verdict_on_a_capture_counts() {
        for (verdict, expected) in [
            ("accept", Seen::Paid),
            ("challenge", Seen::Challenged),
            ("deny", Seen::Denied),
            ("new", Seen::Challenged),
        ] {
            let changes = json!({ "transaction_status": "capture", "fraud_status": verdict });
            assert_eq!(seen(changes, false), expected, "{verdict}");
        }
    }

    #[test]
    fn a_cancel_is_a_refund_if_it_was_ours() {
        assert_eq!(seen(json!({ "transaction_status": "cancel" }), true), Seen::TakenBack);
    }

    #[test]
    fn another_amount_or_currency_is_not_what_was_asked_for() {
        assert_eq!(seen(json!({ "gross_amount": "999.00" }), false), Seen::PaidOtherwise);
        assert_eq!(seen(json!({ "currency": "USD" }), false), Seen::PaidOtherwise);
    }

    #[test]
    fn a_fee_on_top_does_not_count() {
        let metadata = json!({ "extra_info": { "gross_amount_info": { "original_amount": "1000" } } });
        assert_eq!(seen(json!({ "gross_amount": "1040.00", "metadata": metadata }), false), Seen::Paid);
        let metadata = json!({ "extra_info": { "gross_amount_info": { "original_amount": "999" } } });
        assert_eq!(
            seen(json!({ "gross_amount": "1000.00", "metadata": metadata }), false),
            Seen::PaidOtherwise
        );
    }
}
