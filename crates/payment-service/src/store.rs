//! All SQL of this service, a file per table. Functions take a connection, so that a use case decides what is one
//! transaction.

mod attempts;
mod idempotency;
mod notifications;
mod payments;
mod refunds;
mod views;

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

pub use attempts::{
    Link, Linked, end_closing, find_attempt, find_link, find_poll, insert_attempt, list_attempts,
    record_transaction, start_closing, update_attempt_abandoned, update_attempt_id_taken,
    update_attempt_lease, update_attempt_linked,
};
pub use idempotency::{KnownReply, find_reply, insert_key, purge_keys, update_reply};
pub use notifications::{
    Kept, NewNotification, Notification, find_notification, insert_notification, mark_notification_handled,
    purge_notifications,
};
pub use payments::{
    NewPayment, find_payment, insert_payments, insert_tombstone, list_owners, lock_payment, update_asked,
    update_order_ended, update_paid, update_payment_status, update_refunded, update_started,
    update_undelivered,
};
pub use refunds::{
    NewRefund, Waiting, count_waiting_for_people, find_refund, insert_foreign_refund, insert_refund,
    list_refunds, list_requested_refunds, update_refund_done, update_refund_sent, update_refund_state,
};
pub use views::{RefundView, View, find_view};

/// A duration as PostgreSQL adds it to a time.
fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
