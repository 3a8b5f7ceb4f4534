//! What has Midtrans asked about a payment: a notification, which is only a hint, and the schedule.

pub mod handle_notification;
pub mod poll_payment;
pub mod receive_notification;
