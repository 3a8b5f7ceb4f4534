//! All SQL of this service, a file per table. Functions take a connection, so that a use case decides what is one
//! transaction.
//!
//! Queues work by their time column: claiming a row moves it into the future, which is the lease of the replica that
//! took it, and rows that others hold are skipped. The inner select is an array so that it runs once: as a join it could
//! run again and take more than its limit.

mod attempts;
mod idempotency;
mod notifications;
mod payments;
mod refunds;
mod views;
mod voids;

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

pub use attempts::{
    Link, Linked, claim_polls, end_closing, find_attempt, find_link, insert_attempt, list_attempts,
    record_transaction, schedule_poll, start_closing, update_attempt_abandoned, update_attempt_id_taken,
    update_attempt_lease, update_attempt_linked,
};
pub use idempotency::{KnownReply, find_reply, insert_key, purge_keys, update_reply};
pub use notifications::{
    NewNotification, Notification, claim_notifications, insert_notification, mark_notification_handled,
    purge_notifications, retry_notification,
};
pub use payments::{
    NewPayment, find_payment, insert_payments, insert_tombstone, list_owners, lock_payment, update_asked,
    update_order_ended, update_paid, update_payment_status, update_refunded, update_started,
    update_undelivered,
};
pub use refunds::{
    NewRefund, Waiting, claim_refunds, count_waiting_for_people, find_refund_state, insert_foreign_refund,
    insert_refund, list_refunds, update_refund_again, update_refund_done, update_refund_sent,
    update_refund_state, update_refunds_due,
};
pub use views::{RefundView, View, find_view};
pub use voids::{Void, claim_voids, insert_void, update_void_again, update_void_done};

/// A duration as PostgreSQL adds it to a time.
fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
