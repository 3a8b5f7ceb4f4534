//! The use cases, one file each. Only here are transactions opened and committed.

mod list_notifications;
mod maintenance;
mod retry_notification;
mod send_account_mail;
mod send_notification;

pub use self::{
    list_notifications::{Notifications, list_notifications},
    maintenance::{count_waiting, purge},
    retry_notification::{RetryNotificationError, retry_notification},
    send_account_mail::SendAccountMail,
    send_notification::SendNotification,
};
