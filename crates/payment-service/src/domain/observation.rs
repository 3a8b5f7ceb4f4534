//! What Midtrans answered, and whether it is about the attempt that it was asked about.

use midtrans::Transaction;

use super::Attempt;

/// A transaction as Midtrans answered with it.
#[derive(Debug, Clone)]
pub struct Observation {
    pub transaction: Transaction,
    /// Which id Midtrans was asked for.
    pub asked_by: AskedBy,
}

/// The id that a question to Midtrans named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedBy {
    /// Ours, under which the page was made: whatever it finds is a payment on that page.
    OrderId,
    /// Midtrans' own, which came in a notification where it is not signed: anybody's transaction may be found.
    TransactionId,
}

impl Observation {
    /// Whether the transaction can be one of this attempt. Some methods are found by their transaction id only and name
    /// that id as the order's (FACTS.md, section 3.2): those count if nothing contradicts them. `amount` is what the order
    /// costs, in rupiah. That no other attempt has the transaction is seen to where it is recorded.
    pub fn is_of(&self, attempt: &Attempt, amount: Option<i64>) -> bool {
        let Transaction { order_id, transaction_id, custom_field1, currency, .. } = &self.transaction;
        if self.asked_by == AskedBy::OrderId || *order_id == attempt.midtrans_order_id {
            return true;
        }
        let names_itself = order_id == transaction_id;
        let as_asked = Some(self.transaction.charged_for_order()) == amount && currency == "IDR";
        let marked_otherwise = custom_field1.as_ref().is_some_and(|mark| *mark != attempt.midtrans_order_id);
        names_itself && as_asked && !marked_otherwise
    }
}

#[cfg(test)]
mod tests {
    use contracts::OrderId;
    use serde_json::{Value, json};

    use super::*;

    fn is_of_ours(asked_by: AskedBy, changes: Value) -> bool {
        let mut transaction = json!({
            "transaction_id": "t-1", "order_id": "t-1", "payment_type": "dana",
            "transaction_status": "settlement", "gross_amount": "1000.00", "currency": "IDR",
        });
        for (field, value) in changes.as_object().unwrap() {
            transaction[field] = value.clone();
        }
        let transaction = serde_json::from_value(transaction).unwrap();
        let attempt = Attempt {
            midtrans_order_id: "local-41-1-x".to_owned(),
            order_id: OrderId::try_from(41_i64).unwrap(),
            token: None,
            transaction_id: None,
            captured: false,
            closing: false,
            overdue: false,
        };
        Observation { transaction, asked_by }.is_of(&attempt, Some(1_000))
    }

    #[test]
    fn what_our_own_id_finds_is_ours_whatever_it_names() {
        for order_id in ["local-41-1-x", "t-1", ""] {
            assert!(is_of_ours(AskedBy::OrderId, json!({ "order_id": order_id })), "{order_id}");
        }
    }

    #[test]
    fn what_another_id_finds_is_ours_if_it_says_so_or_nothing_speaks_against_it() {
        let found = |changes| is_of_ours(AskedBy::TransactionId, changes);
        assert!(
            found(json!({ "order_id": "local-41-1-x", "gross_amount": "7.00" })),
            "another amount is for T2"
        );
        assert!(found(json!({})));
        assert!(found(json!({ "custom_field1": "local-41-1-x" })));
        assert!(!found(json!({ "custom_field1": "local-42-1-y" })));
        assert!(!found(json!({ "order_id": "local-42-1-y" })));
        assert!(!found(json!({ "gross_amount": "999.00" })));
        assert!(!found(json!({ "currency": "USD" })));
    }
}
