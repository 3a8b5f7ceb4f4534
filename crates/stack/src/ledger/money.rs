//! L4: every rupiah is somewhere. Midtrans' word counts for what was charged, the orders' for what is owed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Finding, Ledger};
use crate::Result;
use crate::shop::Service;

/// What the shop's own databases say about an order.
#[derive(Debug, Default, sqlx::FromRow)]
struct Payment {
    order_id: i64,
    /// Whether an administrator has to decide.
    in_review: bool,
    /// Whether the bank took the money back.
    reversed: bool,
    /// Charged with another amount than the order's, which an administrator accepted.
    accepted_amount: Option<i64>,
    /// Goes back by hand, and has not yet.
    manual_open: i64,
    /// Went back by hand: Midtrans does not know.
    manual_done: i64,
}

impl Ledger {
    pub(super) async fn money_adds_up(&self) -> Result<Finding> {
        let what = "what Midtrans charged and did not return is what paid orders cost";
        let Some(transactions) = self.transactions().await? else {
            let remark = "not checked: Midtrans' own books are not here".to_owned();
            return Ok(Finding::new("L4", what, Vec::new()).with_remarks(vec![remark]));
        };
        let charged = self.charged_by_order(&transactions).await?;
        let payments = self.payments().await?;
        let query = "SELECT id, status, total_amount, coalesce(refunded_amount, 0) FROM orders";
        let orders: Vec<(i64, String, i64, i64)> = self.rows(Service::Order, query).await?;
        let nothing = Payment::default();
        let mut broken = Vec::new();
        for (order, status, total, refunded) in orders {
            let payment = payments.get(&order).unwrap_or(&nothing);
            let kept = charged.get(&order).copied().unwrap_or_default() - payment.manual_done;
            let owed = owed(payment, &status, total, refunded, kept);
            let wrong = kept != owed;
            broken.extend(
                wrong.then(|| {
                    format!("order {order} is {status} and stands for {owed}, Midtrans kept {kept}")
                }),
            );
        }
        let reversed = payments.values().filter(|payment| payment.reversed);
        let remarks =
            reversed.map(|payment| format!("the bank took back the payment of order {}", payment.order_id));
        Ok(Finding::new("L4", what, broken).with_remarks(remarks.collect()))
    }

    /// What Midtrans charged for each order, less what it returned.
    async fn charged_by_order(&self, transactions: &[Value]) -> Result<BTreeMap<i64, i64>> {
        let query = "SELECT midtrans_order_id, order_id FROM payment_attempts";
        let attempts: Vec<(String, i64)> = self.rows(Service::Payment, query).await?;
        let attempts: BTreeMap<String, i64> = attempts.into_iter().collect();
        let mut charged = BTreeMap::new();
        for transaction in transactions {
            let id = transaction["order_id"].as_str().unwrap_or_default();
            if let Some(order) = attempts.get(id) {
                let tries = transaction["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
                *charged.entry(*order).or_default() += tries.iter().map(kept).sum::<i64>();
            }
        }
        Ok(charged)
    }

    async fn payments(&self) -> Result<BTreeMap<i64, Payment>> {
        let query = "SELECT p.order_id, p.status = 'REVIEW' AS in_review, p.status = 'REVERSED' AS reversed,
                CASE WHEN EXISTS (SELECT FROM payment_history h WHERE h.order_id = p.order_id AND h.to_status = 'REVIEW')
                    THEN p.paid_amount END AS accepted_amount,
                coalesce((SELECT sum(amount) FROM refunds r WHERE r.order_id = p.order_id AND r.state = 'MANUAL'),
                    0)::bigint AS manual_open,
                coalesce((SELECT sum(amount) FROM refunds r WHERE r.order_id = p.order_id AND r.state = 'DONE'
                    AND r.method = 'manual'), 0)::bigint AS manual_done
            FROM payments p";
        let payments: Vec<Payment> = self.rows(Service::Payment, query).await?;
        Ok(payments.into_iter().map(|payment| (payment.order_id, payment)).collect())
    }
}

/// What Midtrans should have kept for an order.
fn owed(payment: &Payment, status: &str, total: i64, refunded: i64, kept: i64) -> i64 {
    match status {
        _ if payment.in_review || payment.reversed => kept,
        "PAID" | "SHIPPED" | "DELIVERED" | "DELIVERY_FAILED" => {
            payment.accepted_amount.unwrap_or(total) - refunded
        }
        _ => payment.manual_open,
    }
}

/// What one transaction still holds of the customer's money.
fn kept(transaction: &Value) -> i64 {
    let amount = |member: &str| {
        let text = transaction[member].as_str().unwrap_or_default();
        text.split('.').next().and_then(|whole| whole.parse::<i64>().ok()).unwrap_or_default()
    };
    let in_doubt = transaction["fraud_status"] == "challenge";
    match transaction["transaction_status"].as_str().unwrap_or_default() {
        "capture" if in_doubt => 0,
        "capture" | "settlement" | "refund" | "partial_refund" => {
            amount("gross_amount") - amount("refund_amount")
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_was_charged_and_not_returned_is_kept() {
        let paid = |status: &str| json!({"transaction_status": status, "gross_amount": "5000.00"});
        assert_eq!(["capture", "settlement"].map(|status| kept(&paid(status))), [5000, 5000]);
        assert_eq!(
            ["pending", "deny", "cancel", "expire", "chargeback"].map(|status| kept(&paid(status))),
            [0; 5]
        );
        let mut part = paid("partial_refund");
        part["refund_amount"] = json!("2000.00");
        assert_eq!(kept(&part), 3000);
        let mut doubtful = paid("capture");
        doubtful["fraud_status"] = json!("challenge");
        assert_eq!(kept(&doubtful), 0);
    }
}
