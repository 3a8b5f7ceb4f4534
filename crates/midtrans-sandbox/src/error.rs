//! Why a command is refused; each interface has its own reply for it.

use crate::transaction::{NotAllowed, RefundError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CommandError {
    /// No order, transaction or page has this id.
    Unknown,
    /// The transaction is in a state in which this cannot be.
    NotAllowed,
    /// The order id is taken by a transaction that waits or is paid.
    DuplicateOrder,
    /// Another refund of this transaction has the same key.
    DuplicateRefund,
    /// More than is left, or not more than nothing.
    InvalidRefundAmount,
    /// The customer has chosen a method, so the page cannot be closed.
    PageInProgress,
    /// The page was closed before, by the merchant.
    PageCanceled,
    /// The customer can do nothing on the page any more.
    PageOver,
    /// The request makes no sense, one entry per error.
    Invalid(Vec<String>),
    /// The state file cannot be written, so nothing can be promised.
    Storage,
}

impl CommandError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(vec![message.into()])
    }
}

impl From<NotAllowed> for CommandError {
    fn from(NotAllowed: NotAllowed) -> Self {
        Self::NotAllowed
    }
}

impl From<RefundError> for CommandError {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::NotAllowed => Self::NotAllowed,
            RefundError::InvalidAmount => Self::InvalidRefundAmount,
            RefundError::DuplicateKey => Self::DuplicateRefund,
        }
    }
}
