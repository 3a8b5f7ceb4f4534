//! A page at Midtrans on which an order can be paid.

use contracts::OrderId;
use rand::{RngExt, distr::Alphanumeric};

/// How many random characters make an id differ from that of another database that had the same order number.
const RANDOM: usize = 12;

/// A page at Midtrans, made or about to be made.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The id it goes by at Midtrans.
    pub midtrans_order_id: String,
    pub order_id: OrderId,
    /// The page's own id, once Midtrans has made it.
    pub token: Option<String>,
    /// The transaction that was last known on it.
    pub transaction_id: Option<String>,
    /// Whether that was captured and has yet to settle.
    pub captured: bool,
    /// Whether Midtrans is being asked to close it, since the order is being cancelled.
    pub closing: bool,
    /// Whether the time to pay has been over for more than a minute: longer than Midtrans' clock may differ from ours.
    pub overdue: bool,
}

/// An id that no other attempt has: not of this order, nor of another database or environment. Never parsed; the order
/// is in it for the people who look at Midtrans' dashboard.
pub fn new_midtrans_order_id(environment: &str, order_id: OrderId, n: i32) -> String {
    let random: String = rand::rng().sample_iter(Alphanumeric).take(RANDOM).map(char::from).collect();
    format!("{environment}-{order_id}-{n}-{random}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ_and_fit_midtrans() {
        let largest = OrderId::try_from(i64::MAX).unwrap();
        let ids: HashSet<String> =
            (0..1_000).map(|_| new_midtrans_order_id("production", largest, 99)).collect();
        assert_eq!(ids.len(), 1_000);
        for id in ids {
            assert!(id.len() <= 50, "{id}");
            assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{id}");
        }
    }
}
