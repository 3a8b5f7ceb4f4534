//! L2: every unit is somewhere; what is on hand, held and sold is the sum of its movements.

use time::OffsetDateTime;

use super::views::{Hold, Order, Views};
use super::{Advice, Discrepancy, Finding, Ledger};
use crate::Result;
use crate::shop::Service;

const MOVEMENTS: Advice = Advice {
    cause: "stock, holds or stock_movements were changed by hand",
    remedy: "count the units; POST /api/v1/products/{id}/stock corrects the stock and records why",
};
const GHOST: Advice = Advice {
    cause: "order-service's database was restored to an earlier state, or the order was deleted by hand",
    remedy: "restore the order; if that is not possible, POST /api/v1/products/{id}/stock puts its units back",
};
const DISAGREE: Advice = Advice {
    cause: "an event between order- and product-service did not arrive, or one of the databases is an older copy",
    remedy: "see L6 for an event that was lost; GET /api/v1/order/{id}/events has what order-service knows",
};
const STRANGER: Advice = Advice {
    cause: "a number of an order was given out twice after a restore, or a row was changed by hand",
    remedy: "compare both databases with their backups before the goods are handed out",
};
const LONG_HELD: Advice = Advice {
    cause: "the order is still open, or OrderCancelled did not arrive",
    remedy: "see L3 and L6 for the order",
};

impl Ledger {
    pub(super) async fn stock_adds_up(&self, views: &Views) -> Result<Finding> {
        let mut broken = self.stock_and_movements().await?;
        broken.extend(self.holds_and_movements().await?);
        for order in views.orders.values() {
            broken.extend(compare(order, views.holds.get(&order.id)));
        }
        for hold in views.holds.values().filter(|hold| !views.orders.contains_key(&hold.order_id)) {
            let what = format!("goods of order {}, which does not exist, are {}", hold.order_id, hold.status);
            broken.push(Discrepancy::new(GHOST, what).of_order(hold.order_id).since(hold.updated_at));
        }
        let query = "SELECT order_id, created_at FROM holds
            WHERE status = 'HELD' AND created_at < now() - interval '24 hours' ORDER BY order_id";
        let old: Vec<(i64, OffsetDateTime)> = self.rows(Service::Product, query).await?;
        let remarks = old.into_iter().map(|(order, since)| {
            let what = format!("the goods of order {order} are held for more than a day");
            Discrepancy::new(LONG_HELD, what).of_order(order).since(since)
        });
        let what = "stock, holds and movements agree with one another and with the orders";
        Ok(Finding::new("L2", what, broken).with_remarks(remarks.collect()))
    }

    async fn stock_and_movements(&self) -> Result<Vec<Discrepancy>> {
        let query = "SELECT p.id, p.stock, coalesce(sum(m.delta), 0)::bigint FROM products p \
                     LEFT JOIN stock_movements m ON m.product_id = p.id GROUP BY p.id, p.stock \
                     HAVING p.stock <> coalesce(sum(m.delta), 0) OR p.stock < 0 ORDER BY p.id";
        let wrong: Vec<(i64, i64, i64)> = self.rows(Service::Product, query).await?;
        let words = |(id, stock, sum)| {
            let what = format!("product {id} has a stock of {stock}, but its movements add up to {sum}");
            Discrepancy::new(MOVEMENTS, what)
        };
        Ok(wrong.into_iter().map(words).collect())
    }

    /// What movements say about an order's line must be what its hold says.
    async fn holds_and_movements(&self) -> Result<Vec<Discrepancy>> {
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
        let words = |(order, product, status, quantity, delta)| {
            let what = format!(
                "order {order}: {quantity} x product {product} are {status}, but movements say {delta}"
            );
            Discrepancy::new(MOVEMENTS, what).of_order(order)
        };
        Ok(wrong.into_iter().map(words).collect())
    }
}

fn compare(order: &Order, hold: Option<&Hold>) -> Option<Discrepancy> {
    let (id, status) = (order.id, &order.status);
    let since = hold.map_or(order.updated_at, |hold| hold.updated_at.max(order.updated_at));
    let found = |advice, what| Some(Discrepancy::new(advice, what).of_order(id).since(since));
    let goods = hold.map_or("nothing", |hold| hold.status.as_str());
    if !fits(status, goods) {
        return found(DISAGREE, format!("order {id} is {status}, but its goods are {goods}"));
    }
    let hold = hold?;
    let differs = |theirs: Option<i64>, ours| theirs.is_some_and(|theirs| theirs != ours);
    if differs(hold.user_id, order.user_id) || differs(hold.total_amount, order.total_amount) {
        return found(
            STRANGER,
            format!("the goods held for order {id} are for another buyer or another price"),
        );
    }
    // A tombstone was written before the lines were known.
    let other = !hold.items.is_empty() && hold.items != order.items;
    other.then(|| {
        found(STRANGER, format!("order {id} is for {}, but {} are {goods}", order.items, hold.items))
    })?
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
