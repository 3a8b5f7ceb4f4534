//! All SQL of this service, a file per table. Functions take a connection, so that a use case decides what is one
//! transaction.

mod attempts;
mod idempotency;
mod notifications;
mod payments;
mod refunds;
mod views;

pub use attempts::{
    Link, Linked, end_closing, find_attempt, find_link, find_poll, insert_attempt, lease_attempt,
    list_attempts, mark_id_taken, record_page, record_transaction, release_attempt, start_closing,
};
pub use idempotency::{KnownReply, claim_key, find_reply, purge_keys, record_reply};
pub use notifications::{
    Kept, NewNotification, Notification, find_notification, insert_notification, mark_notification_handled,
    purge_notifications,
};
pub use payments::{
    NewPayment, StateChanged, claim_look, find_payment, insert_payments, insert_tombstone, list_owners,
    lock_payment, mark_order_ended, mark_undelivered, move_payment, record_payment, record_refunded_amount,
    set_expiry,
};
pub use refunds::{
    NewRefund, Waiting, complete_refund, count_waiting_for_people, end_refund, find_refund,
    insert_foreign_refund, insert_refund, list_refunds, list_requested_refunds, mark_refund_sent,
};
pub use views::{RefundView, View, find_view};
