//! L2: every unit is somewhere; what is on hand, held and sold is the sum of its movements.

use std::collections::BTreeMap;

use super::{Finding, Ledger};
use crate::Result;
use crate::shop::Service;

impl Ledger {
    pub(super) async fn stock_adds_up(&self) -> Result<Finding> {
        let mut broken = self.stock_and_movements().await?;
        broken.extend(self.holds_and_movements().await?);
        broken.extend(self.holds_and_orders().await?);
        let query =
            "SELECT order_id FROM holds WHERE status = 'HELD' AND created_at < now() - interval '24 hours'";
        let old: Vec<(i64,)> = self.rows(Service::Product, query).await?;
        let remarks =
            old.iter().map(|(order,)| format!("the goods of order {order} are held for more than a day"));
        let what = "stock, holds and movements agree with one another and with the orders";
        Ok(Finding::new("L2", what, broken).with_remarks(remarks.collect()))
    }

    async fn stock_and_movements(&self) -> Result<Vec<String>> {
        let query = "SELECT p.id, p.stock, coalesce(sum(m.delta), 0)::bigint FROM products p \
                     LEFT JOIN stock_movements m ON m.product_id = p.id GROUP BY p.id, p.stock \
                     HAVING p.stock <> coalesce(sum(m.delta), 0) OR p.stock < 0 ORDER BY p.id";
        let wrong: Vec<(i64, i64, i64)> = self.rows(Service::Product, query).await?;
        let words = |(id, stock, sum): &(i64, i64, i64)| {
            format!("product {id} has a stock of {stock}, but its movements add up to {sum}")
        };
        Ok(wrong.iter().map(words).collect())
    }

    /// What movements say about an order's line must be what its hold says.
    async fn holds_and_movements(&self) -> Result<Vec<String>> {
        let query = "WITH lines AS (
                SELECT h.order_id, h.status, (i->>'product_id')::bigint AS product_id, (i->>'quantity')::bigint AS quantity
                FROM holds h, jsonb_array_elements(h.items) i),
            sums AS (
                SELECT order_id, product_id, sum(delta)::bigint AS delta,
                    coalesce(sum(delta) FILTER (WHERE reason = 'return'), 0)::bigint AS returned,
                    count(*) FILTER (WHERE reason = 'sale') AS sales
                FROM stock_movements WHERE order_id IS NOT NULL GROUP BY order_id, product_id)
            SELECT coalesce(l.order_id, s.order_id), coalesce(l.product_id, s.product_id),
                coalesce(l.status, 'not held'), coalesce(l.quantity, 0), coalesce(s.delta, 0)
            FROM lines l FULL JOIN sums s ON s.order_id = l.order_id AND s.product_id = l.product_id
            WHERE CASE l.status
                WHEN 'HELD' THEN s.delta IS DISTINCT FROM -l.quantity OR s.sales <> 0
                WHEN 'SOLD' THEN s.delta - s.returned IS DISTINCT FROM -l.quantity OR s.returned > l.quantity
                WHEN 'RELEASED' THEN s.delta IS DISTINCT FROM 0
                WHEN 'RETURNED' THEN s.delta IS DISTINCT FROM 0
                WHEN 'REFUSED' THEN s.delta IS NOT NULL
                ELSE true END
            ORDER BY 1, 2";
        let wrong: Vec<(i64, i64, String, i64, i64)> = self.rows(Service::Product, query).await?;
        let words = |(order, product, status, quantity, delta): &(i64, i64, String, i64, i64)| {
            format!("order {order}: {quantity} x product {product} are {status}, but movements say {delta}")
        };
        Ok(wrong.iter().map(words).collect())
    }

    async fn holds_and_orders(&self) -> Result<Vec<String>> {
        let holds: Vec<(i64, String)> =
            self.rows(Service::Product, "SELECT order_id, status FROM holds").await?;
        let holds: BTreeMap<i64, String> = holds.into_iter().collect();
        let orders: Vec<(i64, String)> = self.rows(Service::Order, "SELECT id, status FROM orders").await?;
        let mut broken = Vec::new();
        for (order, status) in orders {
            let hold = holds.get(&order).map_or("nothing", String::as_str);
            let wrong = !fits(&status, hold);
            broken.extend(wrong.then(|| format!("order {order} is {status}, but its goods are {hold}")));
        }
        Ok(broken)
    }
}

/// Whether the goods of an order are where its status says.
fn fits(order: &str, hold: &str) -> bool {
    match order {
        "RECEIVED" => ["nothing", "HELD", "REFUSED"].contains(&hold),
        "AWAITING_PAYMENT" => hold == "HELD",
        "PAID" | "SHIPPED" | "DELIVERED" => hold == "SOLD",
        "DELIVERY_FAILED" | "REFUNDED" => hold == "RETURNED",
        "FAILED" => ["REFUSED", "RELEASED"].contains(&hold),
        "CANCELLED" => ["REFUSED", "RELEASED", "RETURNED"].contains(&hold),
        _ => false,
    }
}
