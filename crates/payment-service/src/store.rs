//! All SQL of this service, a file per table. Functions take a connection, so that a use case decides what is one
//! transaction.

mod attempts;
mod idempotency;
mod notifications;
mod payments;
mod refunds;
mod views;

pub use attempts::{
    Link, MadePage, NewAttempt, Open, Recorded, end_closing, find_attempt, find_link, find_poll,
    insert_attempts, lease_attempt, list_attempts, list_attempts_by_id, list_links, lock_attempts,
    mark_id_taken, record_pages, record_transactions, release_attempt, start_closing,
};
pub use idempotency::{KnownReply, claim_key, find_reply, purge_keys, record_reply};
pub use notifications::{
    Kept, NewNotification, Notification, insert_notifications, list_notifications,
    mark_notifications_handled, purge_notifications,
};
pub use payments::{
    Move, NewPayment, NewTombstone, StateChanged, claim_look, find_payment, insert_payments,
    insert_tombstones, list_owners, lock_payment, lock_payments, mark_orders_ended, mark_undelivered,
    move_payment, move_payments, record_refunded_amount,
};
pub use refunds::{
    NewRefund, Waiting, complete_refund, count_waiting_for_people, end_refund, find_refund,
    insert_foreign_refund, insert_refund, list_refunds, list_refunds_of, list_requested_refunds,
    mark_refund_sent,
};
pub use views::{RefundView, View, find_view};
