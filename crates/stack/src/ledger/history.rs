//! L7: what the histories say.

use contracts::tables::Table;

use super::{Advice, Discrepancy, Finding, Ledger};
use crate::Result;
use crate::shop::Service;

type Move = (i64, Option<String>, String);

const MOVED_BY_HAND: Advice = Advice {
    cause: "a row was changed by hand, or a program moved it that does not know the contract's tables",
    remedy: "compare its history with the logs of that minute, and put the status right that the other services agree on",
};

impl Ledger {
    pub(super) async fn no_state_went_backwards(&self) -> Result<Finding> {
        let query = "SELECT order_id, from_status, to_status FROM order_history \
                     WHERE from_status IS DISTINCT FROM to_status ORDER BY order_id, id";
        let moves: Vec<Move> = self.rows(Service::Order, query).await?;
        let mut broken = illegal("order", &Legal::by("T1", &["RECEIVED"]), &moves);
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
        broken.extend(self.torn().await?);
        let discrepancies = broken.into_iter().map(|what| Discrepancy::new(MOVED_BY_HAND, what));
        Ok(Finding::new("L7", "no state ever went backwards", discrepancies.collect()))
    }

    /// What has another status than the one its history ends with.
    async fn torn(&self) -> Result<Vec<String>> {
        let mut torn = Vec::new();
        for (service, thing, query) in TORN {
            let rows: Vec<(i64, String, String)> = self.rows(service, query).await?;
            torn.extend(rows.into_iter().map(|(id, status, last)| {
                format!("{thing} {id} is {status}, but its history ends with {last}")
            }));
        }
        Ok(torn)
    }
}

const TORN: [(Service, &str, &str); 3] = [
    (
        Service::Order,
        "order",
        "SELECT o.id, o.status, h.to_status FROM orders o JOIN LATERAL
            (SELECT to_status FROM order_history WHERE order_id = o.id ORDER BY id DESC LIMIT 1) h ON true
         WHERE h.to_status <> o.status",
    ),
    (
        Service::Payment,
        "payment of order",
        "SELECT p.order_id, p.status, h.to_status FROM payments p JOIN LATERAL
            (SELECT to_status FROM payment_history WHERE order_id = p.order_id ORDER BY id DESC LIMIT 1) h ON true
         WHERE h.to_status <> p.status",
    ),
    (
        Service::Delivery,
        "delivery",
        "SELECT d.id, d.status, h.status FROM deliveries d JOIN LATERAL
            (SELECT status FROM delivery_history WHERE delivery_id = d.id ORDER BY id DESC LIMIT 1) h ON true
         WHERE h.status <> d.status",
    ),
];

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
