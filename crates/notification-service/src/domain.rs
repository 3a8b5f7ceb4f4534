//! What customers are notified of, and what they may do without. Pure: no IO.

mod kind;
mod notification;
mod preferences;
mod sources;

pub use kind::Kind;
pub use notification::{Channel, Contact, Details, Message, NewNotification, Notification, State};
pub use preferences::{Language, Preferences};
pub use sources::{Notifies, What};
