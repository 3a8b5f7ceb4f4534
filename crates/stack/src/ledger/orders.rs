//! L1 and L3: the orders themselves.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::{Advice, Discrepancy, Finding, Ledger};
use crate::Result;
use crate::shop::Service;

const LOST: Advice = Advice {
    cause: "order-service's database was restored to an earlier state, or the order was deleted by hand",
    remedy: "restore the order from a backup; the event in the outbox has its buyer, its lines and its total",
};
const TWICE: Advice = Advice {
    cause: "rows of idempotency_keys were changed by hand",
    remedy: "compare both keys with the buyer's requests in the log of order-service",
};
const STUCK: Advice = Advice {
    cause: "the service that it waits for does not answer, or its job is missing",
    remedy: "see the health of product-, payment- and delivery-service, L6, and GET /api/v1/order/{id}/events",
};
const FOR_AN_ADMINISTRATOR: Advice = Advice {
    cause: "Midtrans cannot send the money back, or charged another amount than was asked for",
    remedy: "GET /api/v1/payment/{order_id} shows it; POST .../refund with method \"manual\" and the reference of the \
             transfer closes a refund, POST .../review a review",
};
const REFUND_LIES: Advice = Advice {
    cause: "Midtrans does not answer about this refund, or its job is missing",
    remedy: "see L6 for its job and the log of payment-service for Midtrans' answers",
};

impl Ledger {
    pub(super) async fn every_answered_order_exists_once(&self) -> Result<Finding> {
        let query = "SELECT k.order_id, count(*), bool_or(o.id IS NOT NULL), min(k.created_at) \
                     FROM idempotency_keys k LEFT JOIN orders o ON o.id = k.order_id \
                     WHERE k.status = 201 GROUP BY k.order_id";
        let replies: Vec<(Option<i64>, i64, bool, OffsetDateTime)> = self.rows(Service::Order, query).await?;
        let mut broken = Vec::new();
        for (order, count, exists, since) in replies {
            let name = order.map_or("nothing".to_owned(), |order| format!("order {order}"));
            let found = |advice, what| {
                let found = Discrepancy::new(advice, what).since(since);
                order.into_iter().fold(found, Discrepancy::of_order)
            };
            broken.extend(
                (!exists).then(|| found(LOST, format!("a reply was kept for {name}, which does not exist"))),
            );
            broken.extend(
                (exists && count > 1)
                    .then(|| found(TWICE, format!("{count} keys were answered with {name}"))),
            );
        }
        broken.extend(self.published_ghosts().await?);
        Ok(Finding::new("L1", "every order that was answered 201 exists, once", broken))
    }

    async fn published_ghosts(&self) -> Result<Vec<Discrepancy>> {
        let query = "SELECT (fields->>'order_id')::bigint, min(appended_at) FROM messaging.outbox \
                     WHERE stream = 'stream:orders:created' AND NOT EXISTS \
                     (SELECT FROM orders WHERE id = (fields->>'order_id')::bigint) GROUP BY 1 ORDER BY 1";
        let ghosts: Vec<(i64, OffsetDateTime)> = self.rows(Service::Order, query).await?;
        let words = |(order, since)| {
            let what = format!("order {order} was published but does not exist");
            Discrepancy::new(LOST, what).of_order(order).since(since)
        };
        Ok(ghosts.into_iter().map(words).collect())
    }

    pub(super) async fn no_order_is_stuck(&self) -> Result<Finding> {
        let waiting = self.waiting_for_an_administrator().await?;
        // The bank has the money of these already: nothing is left to go back.
        let reversed = "SELECT order_id, updated_at FROM payments WHERE status = 'REVERSED'";
        let reversed: Vec<(i64, OffsetDateTime)> = self.rows(Service::Payment, reversed).await?;
        let excused = |order: i64, status: &str| {
            waiting.contains_key(&order)
                || status == "DELIVERY_FAILED" && reversed.iter().any(|(known, _)| *known == order)
        };
        // A minute more than each deadline, for the sweep that enforces it; refunds wait for Midtrans for an hour.
        let query = "SELECT id, status, updated_at FROM orders WHERE \
                     status = 'RECEIVED' AND created_at < now() - interval '16 minutes' OR \
                     status = 'AWAITING_PAYMENT' AND payment_expires < now() - interval '5 minutes' OR \
                     status = 'DELIVERY_FAILED' AND updated_at < now() - interval '1 hour' ORDER BY id";
        let stuck: Vec<(i64, String, OffsetDateTime)> = self.rows(Service::Order, query).await?;
        let stuck = stuck.into_iter().filter(|(order, status, _)| !excused(*order, status));
        let mut broken: Vec<Discrepancy> = stuck
            .map(|(order, status, since)| {
                Discrepancy::new(STUCK, format!("order {order} is still {status}"))
                    .of_order(order)
                    .since(since)
            })
            .collect();
        broken.extend(self.lying_refunds().await?);
        broken.extend(self.missing_jobs().await?);
        let (old, young): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, (_, old))| *old);
        let words = |(order, (since, _))| {
            let what = format!("the payment of order {order} waits for an administrator");
            Discrepancy::new(FOR_AN_ADMINISTRATOR, what).of_order(order).since(since)
        };
        broken.extend(old.into_iter().map(words));
        let what = "every order and refund is in a final state, inside its deadline, or waits for an administrator, for \
                    two days at most";
        Ok(Finding::new("L3", what, broken).with_remarks(young.into_iter().map(words).collect()))
    }

    /// Orders whose payment an administrator has to close, since when, and whether that is too long.
    async fn waiting_for_an_administrator(&self) -> Result<BTreeMap<i64, (OffsetDateTime, bool)>> {
        let query = "SELECT order_id, min(since), min(since) < now() - interval '2 days' FROM (
                SELECT order_id, updated_at AS since FROM refunds WHERE state = 'MANUAL'
                UNION ALL SELECT order_id, updated_at FROM payments WHERE status = 'REVIEW') waiting
            GROUP BY order_id ORDER BY order_id";
        let rows: Vec<(i64, OffsetDateTime, bool)> = self.rows(Service::Payment, query).await?;
        Ok(rows.into_iter().map(|(order, since, old)| (order, (since, old))).collect())
    }

    /// A part of a captured card payment goes back once that has settled, within a day as a rule.
    async fn lying_refunds(&self) -> Result<Vec<Discrepancy>> {
        let query = "SELECT r.id, r.order_id, r.amount, r.state, r.created_at FROM refunds r
            JOIN payment_attempts a ON a.midtrans_order_id = r.midtrans_order_id
            WHERE r.state IN ('REQUESTED', 'SENT') AND r.created_at < now() - CASE
                WHEN a.midtrans_status = 'capture' THEN interval '2 days' ELSE interval '1 hour' END
            ORDER BY r.id";
        let rows: Vec<(i64, i64, i64, String, OffsetDateTime)> = self.rows(Service::Payment, query).await?;
        let words = |(id, order, amount, state, since)| {
            let what = format!("refund {id} of {amount} for order {order} is still {state}");
            Discrepancy::new(REFUND_LIES, what).of_order(order).since(Some(since))
        };
        Ok(rows.into_iter().map(words).collect())
    }
}
