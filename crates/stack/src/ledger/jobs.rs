//! Jobs that were given up, and work that no job waits for.

use time::OffsetDateTime;

use super::{Advice, Discrepancy, Ledger, Repair};
use crate::Result;
use crate::shop::Service;

const MISSING: Advice = Advice {
    cause: "rows of jobs.queue were deleted, or the database is an older copy",
    remedy: "`stack doctor --apply` enqueues it; it bears repetition",
};
const GIVEN_UP: Advice = Advice {
    cause: "it can never succeed as things are; its error says why",
    remedy: "fix the cause, then `stack doctor --apply` has it run once more",
};

/// Work that waits in a table: kind and key of its job, its order, what waits, since when, and when the job should run.
const ORDER_WORK: &str = "
    SELECT 'time-out' AS kind, id::text AS key, id AS order_id, 'an order that is RECEIVED' AS what, updated_at AS since,
        created_at + interval '15 minutes' AS run_at FROM orders WHERE status = 'RECEIVED'
    UNION ALL SELECT 'reconcile-unpaid', id::text, id, 'an order that is AWAITING_PAYMENT', updated_at,
        payment_expires + interval '1 minute' FROM orders WHERE status = 'AWAITING_PAYMENT'
    UNION ALL SELECT 'reconcile-paid', id::text, id, 'an order that is PAID', updated_at, now() FROM orders
        WHERE status = 'PAID' AND delivery_id IS NULL
    UNION ALL SELECT replace(step, '_', '-'), order_id::text, order_id, 'a cancellation', requested_at, now()
        FROM cancellations
    UNION ALL SELECT 'stock-return', order_id || ':' || product_id, order_id, 'goods that come back',
        NULL::timestamptz, now()
        FROM stock_returns WHERE done_at IS NULL";
const PAYMENT_WORK: &str = "
    SELECT 'refund' AS kind, id::text AS key, order_id, 'a refund' AS what, updated_at AS since, now() AS run_at
        FROM refunds WHERE state IN ('REQUESTED', 'SENT')
    UNION ALL SELECT 'poll', a.midtrans_order_id, a.order_id, 'a payment that is open', a.linked_at, now()
        FROM payments p JOIN payment_attempts a ON a.order_id = p.order_id AND a.linked_at IS NOT NULL
        WHERE p.status IN ('PENDING', 'CHALLENGE')
            AND NOT EXISTS (SELECT FROM payment_attempts b WHERE b.order_id = a.order_id AND b.n > a.n)
    UNION ALL SELECT 'notification', n.id::text, a.order_id, 'a notification', n.received_at, now()
        FROM notifications n JOIN payment_attempts a USING (midtrans_order_id) WHERE n.handled_at IS NULL";

type Work = (String, String, i64, String, Option<OffsetDateTime>, OffsetDateTime);

impl Ledger {
    pub(super) async fn missing_jobs(&self) -> Result<Vec<Discrepancy>> {
        let mut missing = Vec::new();
        for (service, work) in [(Service::Order, ORDER_WORK), (Service::Payment, PAYMENT_WORK)] {
            let query = format!(
                "SELECT * FROM ({work}) work WHERE NOT EXISTS
                    (SELECT FROM jobs.queue q WHERE q.kind = work.kind AND q.key = work.key) ORDER BY order_id, kind"
            );
            let rows: Vec<Work> = self.rows(service, sqlx::AssertSqlSafe(query)).await?;
            missing.extend(rows.into_iter().map(|work| without_job(service, work)));
        }
        Ok(missing)
    }

    /// The jobs that were given up and wait for a person.
    pub(super) async fn dead_jobs(&self) -> Result<Vec<Discrepancy>> {
        let query = "SELECT kind, key, coalesce(error, 'no error'), dead_at FROM jobs.queue
            WHERE dead_at IS NOT NULL ORDER BY dead_at";
        let mut broken = Vec::new();
        let with_jobs = [Service::Order, Service::Payment, Service::Notification].into_iter();
        for service in with_jobs.filter(|service| self.databases().any(|(known, _)| known == *service)) {
            let jobs: Vec<(String, String, String, OffsetDateTime)> = self.rows(service, query).await?;
            broken.extend(jobs.into_iter().map(|(job, key, error, since)| {
                let what = format!("job given up by {}: {job} of {key}: {error}", service.name());
                let given_up = Discrepancy::new(GIVEN_UP, what).since(since);
                // The row of a notification says that it was given up, too: its own route opens both.
                if service.is_optional() {
                    return given_up;
                }
                given_up.with_repair(Repair::Enqueue { service, job, key, run_at: since })
            }));
        }
        Ok(broken)
    }
}

fn without_job(service: Service, (job, key, order, thing, since, run_at): Work) -> Discrepancy {
    let what = format!("no job {job} waits for {thing} of order {order} ({key})");
    let repair = Repair::Enqueue { service, job, key, run_at };
    Discrepancy::new(MISSING, what).of_order(order).since(since).with_repair(repair)
}
