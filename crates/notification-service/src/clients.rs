//! What this service calls: user-service for what is personal, a mail server, and the shop's own adapter for other channels.

mod mailer;
mod users;
mod webhook;

use chassis::error_chain;

pub use mailer::Mailer;
pub use users::Users;
pub use webhook::{SigningKey, Webhook};

/// Why a message was not taken. It says nothing of whom it was for, so that it may be kept and logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The receiver refused this message for good.
    #[error("refused with {0}")]
    Refused(u16),
    /// It may be taken later: the receiver is away, slow, or says so.
    #[error("not taken yet: {0}")]
    NotYet(String),
}

impl SendError {
    fn not_yet(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::NotYet(error_chain(error))
    }
}
