//! What each service says of each order.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::Ledger;
use crate::Result;
use crate::shop::Service;

/// What order-service says.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Order {
    pub(super) id: i64,
    pub(super) user_id: i64,
    pub(super) status: String,
    pub(super) total_amount: i64,
    pub(super) refunded: i64,
    /// `product:quantity`, sorted.
    pub(super) items: String,
    pub(super) updated_at: OffsetDateTime,
}

/// What payment-service says.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Payment {
    pub(super) order_id: i64,
    pub(super) user_id: i64,
    pub(super) status: String,
    /// Nothing in a tombstone.
    pub(super) amount: Option<i64>,
    /// Nothing until it is paid.
    pub(super) paid_amount: Option<i64>,
    pub(super) refunded_amount: i64,
    /// Charged with another amount than the order's, which an administrator accepted.
    pub(super) accepted_amount: Option<i64>,
    /// Of all refunds that were made.
    pub(super) refunds_done: i64,
    /// Of those that are on their way, by hand or by Midtrans.
    pub(super) refunds_open: i64,
    /// Has to go back by hand, and has not yet.
    pub(super) manual_open: i64,
    /// Went back by hand: Midtrans does not know.
    pub(super) manual_done: i64,
    pub(super) updated_at: OffsetDateTime,
}

/// What product-service says.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Hold {
    pub(super) order_id: i64,
    pub(super) status: String,
    pub(super) user_id: Option<i64>,
    pub(super) total_amount: Option<i64>,
    /// As an order's.
    pub(super) items: String,
    pub(super) updated_at: OffsetDateTime,
}

/// What delivery-service says.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Delivery {
    pub(super) id: i64,
    pub(super) order_id: i64,
    pub(super) user_id: Option<i64>,
    pub(super) status: String,
    pub(super) updated_at: OffsetDateTime,
}

/// All of it, by the order's id.
#[derive(Debug, Default)]
pub(super) struct Views {
    pub(super) orders: BTreeMap<i64, Order>,
    pub(super) payments: BTreeMap<i64, Payment>,
    pub(super) holds: BTreeMap<i64, Hold>,
    pub(super) deliveries: BTreeMap<i64, Delivery>,
}

const ORDERS: &str = "SELECT o.id, o.user_id, o.status, o.total_amount, coalesce(o.refunded_amount, 0) AS refunded,
        o.updated_at, coalesce((SELECT string_agg(i.product_id || ':' || i.quantity, ' ' ORDER BY i.product_id)
            FROM order_items i WHERE i.order_id = o.id), '') AS items
    FROM orders o";
const PAYMENTS: &str = "SELECT p.order_id, p.user_id, p.status, p.amount, p.paid_amount, p.refunded_amount, p.updated_at,
        CASE WHEN EXISTS (SELECT FROM payment_history h WHERE h.order_id = p.order_id AND h.to_status = 'REVIEW')
            THEN p.paid_amount END AS accepted_amount,
        r.refunds_done, r.refunds_open, r.manual_open, r.manual_done
    FROM payments p CROSS JOIN LATERAL (SELECT
        coalesce(sum(amount) FILTER (WHERE state = 'DONE'), 0)::bigint AS refunds_done,
        coalesce(sum(amount) FILTER (WHERE state IN ('REQUESTED', 'SENT', 'MANUAL')), 0)::bigint AS refunds_open,
        coalesce(sum(amount) FILTER (WHERE state = 'MANUAL'), 0)::bigint AS manual_open,
        coalesce(sum(amount) FILTER (WHERE state = 'DONE' AND method = 'manual'), 0)::bigint AS manual_done
        FROM refunds WHERE refunds.order_id = p.order_id) r";
const HOLDS: &str = "SELECT order_id, status, user_id, total_amount, updated_at,
        coalesce((SELECT string_agg((i->>'product_id') || ':' || (i->>'quantity'), ' ' ORDER BY (i->>'product_id')::bigint)
            FROM jsonb_array_elements(items) i), '') AS items
    FROM holds";
const DELIVERIES: &str = "SELECT id, order_id, user_id, status, updated_at FROM deliveries";

impl Ledger {
    /// Orders are read last: whatever another service knows of an order, order-service knew before.
    pub(super) async fn views(&self) -> Result<Views> {
        let payments: Vec<Payment> = self.rows(Service::Payment, PAYMENTS).await?;
        let holds: Vec<Hold> = self.rows(Service::Product, HOLDS).await?;
        let deliveries: Vec<Delivery> = self.rows(Service::Delivery, DELIVERIES).await?;
        let orders: Vec<Order> = self.rows(Service::Order, ORDERS).await?;
        Ok(Views {
            orders: orders.into_iter().map(|order| (order.id, order)).collect(),
            payments: payments.into_iter().map(|payment| (payment.order_id, payment)).collect(),
            holds: holds.into_iter().map(|hold| (hold.order_id, hold)).collect(),
            deliveries: deliveries.into_iter().map(|delivery| (delivery.order_id, delivery)).collect(),
        })
    }
}
