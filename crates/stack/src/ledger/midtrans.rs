//! What Midtrans itself says it has charged: the local one lists everything, the real one is asked about each payment.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};
use midtrans::{Client, Error as MidtransError, Transaction, TransactionStatus};
use serde_json::Value;

use super::Ledger;
use crate::shop::Service;
use crate::{Error, Result};

/// So many payments the real Midtrans is asked about, the newest first, and so many at a time.
const ASKED: i64 = 500;
const CONCURRENCY: usize = 4;

/// How Midtrans' own words are got.
#[derive(Debug, Clone)]
pub(super) enum Midtrans {
    /// The local one, through the gateway.
    Local,
    /// The real one, or what speaks its API.
    Remote(Client),
    /// Not at all.
    Unknown,
}

/// What Midtrans charged and did not return, by order.
#[derive(Debug, Default)]
pub(super) struct Charged {
    pub(super) by_order: BTreeMap<i64, i64>,
    /// Whether an order that is not there was charged nothing.
    pub(super) complete: bool,
    /// What could not be found out.
    pub(super) missing: Option<String>,
}

impl Ledger {
    pub(super) async fn charged(&self) -> Result<Charged> {
        match self.midtrans() {
            Midtrans::Local => self.charged_by_the_local_one().await,
            Midtrans::Remote(client) => self.charged_by_the_real_one(client).await,
            Midtrans::Unknown => {
                let missing = Some("Midtrans was not asked what it charged".to_owned());
                Ok(Charged { missing, ..Charged::default() })
            }
        }
    }

    async fn charged_by_the_local_one(&self) -> Result<Charged> {
        let query = "SELECT midtrans_order_id, order_id FROM payment_attempts";
        let attempts: Vec<(String, i64)> = self.rows(Service::Payment, query).await?;
        let attempts: BTreeMap<String, i64> = attempts.into_iter().collect();
        let mut charged = Charged { complete: true, ..Charged::default() };
        for transaction in self.local_transactions().await? {
            let id = transaction["order_id"].as_str().unwrap_or_default();
            let Some(order) = attempts.get(id) else { continue };
            let tries = transaction["attempts"].as_array().cloned().unwrap_or_default();
            for attempt in tries {
                let attempt: Transaction = serde_json::from_value(attempt)
                    .map_err(|error| Error::other(format!("the local Midtrans answered {error}")))?;
                *charged.by_order.entry(*order).or_default() += kept(&attempt);
            }
        }
        Ok(charged)
    }

    async fn local_transactions(&self) -> Result<Vec<Value>> {
        let known = self.api().get("/midtrans/sandbox/transactions", None).await?.expect(200)?;
        let known = known.as_array().cloned();
        known.ok_or_else(|| Error::other("the local Midtrans answered with no list"))
    }

    async fn charged_by_the_real_one(&self, client: &Client) -> Result<Charged> {
        let query = format!(
            "SELECT a.order_id, coalesce(t.transaction_id, a.midtrans_order_id) FROM payment_attempts a
             LEFT JOIN transactions t USING (midtrans_order_id)
             WHERE a.order_id IN (SELECT order_id FROM payments ORDER BY updated_at DESC LIMIT {ASKED})"
        );
        let ids: Vec<(i64, String)> = self.rows(Service::Payment, sqlx::AssertSqlSafe(query)).await?;
        let answers = stream::iter(ids).map(async |(order, id)| (order, client.status(&id).await));
        let answers: Vec<_> = answers.buffer_unordered(CONCURRENCY).collect().await;
        let (mut charged, mut unanswered) = (Charged::default(), BTreeMap::new());
        for (order, answer) in answers {
            match answer {
                Ok(transaction) => *charged.by_order.entry(order).or_default() += kept(&transaction),
                // No method was chosen on the page.
                Err(MidtransError::NotFound(_)) => *charged.by_order.entry(order).or_default() += 0,
                Err(error) => drop(unanswered.insert(order, error.to_string())),
            }
        }
        charged.by_order.retain(|order, _| !unanswered.contains_key(order));
        charged.missing = missing(self.count_payments().await?, &unanswered);
        Ok(charged)
    }

    async fn count_payments(&self) -> Result<i64> {
        let rows: Vec<(i64,)> = self.rows(Service::Payment, "SELECT count(*) FROM payments").await?;
        Ok(rows.first().map_or(0, |row| row.0))
    }
}

fn missing(payments: i64, unanswered: &BTreeMap<i64, String>) -> Option<String> {
    if let Some((order, error)) = unanswered.first_key_value() {
        let count = unanswered.len();
        return Some(format!(
            "Midtrans did not answer about {count} payments, such as that of order {order}: {error}"
        ));
    }
    (payments > ASKED)
        .then(|| format!("Midtrans was asked about the newest {ASKED} of {payments} payments only"))
}

/// What one transaction still holds of the customer's money.
fn kept(transaction: &Transaction) -> i64 {
    let returned = transaction.refund_amount.unwrap_or_default();
    match transaction.transaction_status {
        _ if transaction.is_paid() => transaction.charged_for_order() - returned,
        TransactionStatus::Refund | TransactionStatus::PartialRefund => {
            transaction.charged_for_order() - returned
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn transaction(status: &str, more: &Value) -> Transaction {
        let mut all = json!({"transaction_id": "t", "transaction_status": status, "gross_amount": "5000.00"});
        for (name, value) in more.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn only_what_was_charged_and_not_returned_is_kept() {
        let plain = |status: &str| kept(&transaction(status, &json!({})));
        assert_eq!(["capture", "settlement"].map(plain), [5000, 5000]);
        assert_eq!(["pending", "deny", "cancel", "expire", "chargeback"].map(plain), [0; 5]);
        assert_eq!(kept(&transaction("partial_refund", &json!({"refund_amount": "2000.00"}))), 3000);
        assert_eq!(kept(&transaction("capture", &json!({"fraud_status": "challenge"}))), 0);
    }

    #[test]
    fn what_was_not_asked_is_said() {
        assert_eq!(missing(500, &BTreeMap::new()), None);
        assert!(missing(501, &BTreeMap::new()).unwrap().contains("500 of 501"));
        let unanswered = BTreeMap::from([(7, "no answer".to_owned())]);
        assert!(missing(3, &unanswered).unwrap().contains("order 7: no answer"));
    }
}
