//! All SQL of this service.

mod notifications;
mod preferences;
mod sending;

pub use notifications::{
    Counts, Filter, Row, count_notifications, count_states, find_notification, list_notifications,
    purge_notifications, reopen_notification,
};
pub use preferences::{find_preferences, upsert_preferences};
pub use sending::{Waiting, end_notification, find_waiting, insert_notifications};
