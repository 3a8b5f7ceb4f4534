//! L1, L3, L5 and L7: the orders themselves.

use std::collections::{BTreeMap, BTreeSet};

use contracts::tables::Table;

use super::{Finding, Ledger};
use crate::Result;
use crate::shop::Service;

type Move = (i64, Option<String>, String);

impl Ledger {
    pub(super) async fn every_answered_order_exists_once(&self) -> Result<Finding> {
        let query = "SELECT k.order_id, count(*), bool_or(o.id IS NOT NULL) \
                     FROM idempotency_keys k LEFT JOIN orders o ON o.id = k.order_id \
                     WHERE k.status = 201 GROUP BY k.order_id";
        let replies: Vec<(Option<i64>, i64, bool)> = self.rows(Service::Order, query).await?;
        let mut broken = Vec::new();
        for (order, count, exists) in replies {
            let order = order.map_or("nothing".to_owned(), |order| format!("order {order}"));
            broken.extend((!exists).then(|| format!("a reply was kept for {order}, which does not exist")));
            broken.extend((exists && count > 1).then(|| format!("{count} keys were answered with {order}")));
        }
        let query = "SELECT DISTINCT (fields->>'order_id')::bigint FROM messaging.outbox \
                     WHERE stream = 'stream:orders:created' AND NOT EXISTS \
                     (SELECT FROM orders WHERE id = (fields->>'order_id')::bigint)";
        let ghosts: Vec<(i64,)> = self.rows(Service::Order, query).await?;
        broken
            .extend(ghosts.iter().map(|(order,)| format!("order {order} was published but does not exist")));
        Ok(Finding::new("L1", "every order that was answered 201 exists, once", broken))
    }

    pub(super) async fn no_order_is_stuck(&self) -> Result<Finding> {
        let manual = "SELECT order_id FROM refunds WHERE state = 'MANUAL' \
                      UNION SELECT order_id FROM payments WHERE status = 'REVIEW' ORDER BY 1";
        let manual = self.orders_of_payments(manual).await?;
        // The bank has the money of these already: nothing is left to go back.
        let reversed = "SELECT order_id FROM payments WHERE status = 'REVERSED'";
        let reversed = self.orders_of_payments(reversed).await?;
        // A minute more than each deadline, for the sweep that enforces it; refunds wait for Midtrans for an hour.
        let query = "SELECT id, status, extract(epoch FROM now() - updated_at)::bigint / 60 FROM orders WHERE \
                     status = 'RECEIVED' AND created_at < now() - interval '16 minutes' OR \
                     status = 'AWAITING_PAYMENT' AND payment_expires < now() - interval '5 minutes' OR \
                     status = 'DELIVERY_FAILED' AND updated_at < now() - interval '1 hour' ORDER BY id";
        let stuck: Vec<(i64, String, i64)> = self.rows(Service::Order, query).await?;
        let broken = stuck
            .iter()
            .filter(|(order, status, _)| {
                !manual.contains(order) && (status != "DELIVERY_FAILED" || !reversed.contains(order))
            })
            .map(|(order, status, minutes)| format!("order {order} is {status} for {minutes} minutes"))
            .collect();
        let remarks = manual.iter().map(|order| {
            format!("the payment of order {order} waits for an administrator (GET /api/v1/payment/{order})")
        });
        let what = "every order is in a final state, inside its deadline, or waits for an administrator";
        Ok(Finding::new("L3", what, broken).with_remarks(remarks.collect()))
    }

    async fn orders_of_payments(&self, query: &'static str) -> Result<BTreeSet<i64>> {
        let rows: Vec<(i64,)> = self.rows(Service::Payment, query).await?;
        Ok(rows.into_iter().map(|(order,)| order).collect())
    }

    pub(super) async fn paid_orders_have_one_delivery(&self) -> Result<Finding> {
        let orders: Vec<(i64, String)> = self.rows(Service::Order, "SELECT id, status FROM orders").await?;
        let query = "SELECT order_id, count(*) FROM deliveries WHERE status <> 'CANCELLED' GROUP BY order_id";
        let deliveries: Vec<(i64, i64)> = self.rows(Service::Delivery, query).await?;
        let mut deliveries: BTreeMap<i64, i64> = deliveries.into_iter().collect();
        let mut broken = Vec::new();
        for (order, status) in orders {
            let wanted =
                ["PAID", "SHIPPED", "DELIVERED", "DELIVERY_FAILED", "REFUNDED"].contains(&status.as_str());
            let found = deliveries.remove(&order).unwrap_or_default();
            let wrong = found != i64::from(wanted);
            broken.extend(wrong.then(|| format!("order {order} is {status} and has {found} deliveries")));
        }
        broken.extend(
            deliveries.keys().map(|order| format!("order {order} has a delivery but does not exist")),
        );
        Ok(Finding::new("L5", "exactly the paid orders have a delivery, and one each", broken))
    }

    pub(super) async fn no_state_went_backwards(&self) -> Result<Finding> {
        let mut broken = Vec::new();
        let query = "SELECT order_id, from_status, to_status FROM order_history \
                     WHERE from_status IS DISTINCT FROM to_status ORDER BY order_id, id";
        let moves: Vec<Move> = self.rows(Service::Order, query).await?;
        broken.extend(illegal("order", &Legal::by("T1", &["RECEIVED"]), &moves));
        broken.extend(broken_chains("order", &moves));
        let query = "SELECT order_id, from_status, to_status FROM payment_history \
                     WHERE from_status IS DISTINCT FROM to_status ORDER BY order_id, id";
        let moves: Vec<Move> = self.rows(Service::Payment, query).await?;
        broken.extend(illegal("payment of order", &Legal::by("T2", &["PENDING", "CANCELLED"]), &moves));
        broken.extend(broken_chains("payment of order", &moves));
        // A row with the status of the one before is a note.
        let query = "SELECT delivery_id, before, status FROM (\
                     SELECT delivery_id, id, status, lag(status) OVER (PARTITION BY delivery_id ORDER BY id) AS before \
                     FROM delivery_history) AS steps \
                     WHERE before IS DISTINCT FROM status ORDER BY delivery_id, id";
        let moves: Vec<Move> = self.rows(Service::Delivery, query).await?;
        broken.extend(illegal("delivery", &Legal::by("A delivery", &["PENDING", "CANCELLED"]), &moves));
        let query = "SELECT o.id, o.status, h.to_status FROM orders o JOIN LATERAL \
                     (SELECT to_status FROM order_history WHERE order_id = o.id ORDER BY id DESC LIMIT 1) h ON true \
                     WHERE h.to_status <> o.status";
        let torn: Vec<(i64, String, String)> = self.rows(Service::Order, query).await?;
        broken.extend(
            torn.iter().map(|(id, status, last)| {
                format!("order {id} is {status}, but its timeline ends with {last}")
            }),
        );
        Ok(Finding::new("L7", "no state ever went backwards", broken))
    }
}

/// The moves that a table of the contract allows.
struct Legal {
    table: Table,
    /// The states in which a history may begin: a tombstone begins CANCELLED.
    beginnings: &'static [&'static str],
}

impl Legal {
    fn by(heading: &str, beginnings: &'static [&'static str]) -> Self {
        Self { table: Table::below(heading), beginnings }
    }

    fn allows(&self, from: Option<&str>, to: &str) -> bool {
        from.map_or_else(|| self.beginnings.contains(&to), |from| self.table.moves().contains(&(from, to)))
    }
}

fn illegal(thing: &str, legal: &Legal, moves: &[Move]) -> Vec<String> {
    let wrong = moves.iter().filter(|(_, from, to)| !legal.allows(from.as_deref(), to));
    let words = |(id, from, to): &Move| {
        format!("{thing} {id} went from {} to {to}", from.as_deref().unwrap_or("nothing"))
    };
    wrong.map(words).collect()
}

/// Each change must begin where the one before ended.
fn broken_chains(thing: &str, moves: &[Move]) -> Vec<String> {
    moves
        .windows(2)
        .filter_map(|pair| match pair {
            [(a, _, ended), (b, began, to)] if a == b && began.as_ref() != Some(ended) => {
                let began = began.as_deref().unwrap_or("nothing");
                Some(format!("{thing} {a} was {ended}, then went from {began} to {to}"))
            }
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: i64, from: &str, to: &str) -> Move {
        (id, (!from.is_empty()).then(|| from.to_owned()), to.to_owned())
    }

    #[test]
    fn a_step_back_is_found() {
        let good =
            [step(1, "", "RECEIVED"), step(1, "RECEIVED", "AWAITING_PAYMENT"), step(2, "", "RECEIVED")];
        let legal = Legal::by("T1", &["RECEIVED"]);
        assert!(illegal("order", &legal, &good).is_empty() && broken_chains("order", &good).is_empty());
        let back = [step(1, "PAID", "AWAITING_PAYMENT")];
        assert_eq!(illegal("order", &legal, &back), ["order 1 went from PAID to AWAITING_PAYMENT"]);
    }

    #[test]
    fn a_gap_in_a_chain_is_found() {
        let gap = [step(1, "", "RECEIVED"), step(1, "AWAITING_PAYMENT", "PAID")];
        assert_eq!(
            broken_chains("order", &gap),
            ["order 1 was RECEIVED, then went from AWAITING_PAYMENT to PAID"]
        );
    }
}
