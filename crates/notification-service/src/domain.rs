//! What customers are notified of, and what they may do without. Pure: no IO.

mod account_mail;
mod kind;
mod notification;
mod preferences;
mod sources;

pub use account_mail::{AccountMail, AccountMailKind};
pub use kind::Kind;
pub use notification::{Channel, Contact, Details, Mail, Message, NewNotification, Notification, State};
pub use preferences::{Language, Preferences};
pub use sources::{Notifies, What};
