//! Why something asked of the sandbox is not done; each of its interfaces has its own words for it.

use crate::transaction::{NotAllowed, RefundFault};

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing has this id.
    Unknown,
    /// The transaction is in a state in which this cannot be.
    NotAllowed,
    /// The order id is taken by a transaction that waits or is paid.
    DuplicateOrder,
    /// The refund key is taken.
    DuplicateRefund,
    /// More than is left, or not more than nothing.
    InvalidRefundAmount,
    /// The customer has chosen a method, so the page cannot be closed.
    PageInProgress,
    /// The page is closed already.
    PageCanceled,
    /// The customer can do nothing on the page any more.
    PageOver,
    /// The request makes no sense, one entry per fault.
    Invalid(Vec<String>),
    /// The state file cannot be written, so nothing can be promised.
    Storage,
}

impl Fault {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(vec![message.into()])
    }
}

impl From<NotAllowed> for Fault {
    fn from(NotAllowed: NotAllowed) -> Self {
        Self::NotAllowed
    }
}

impl From<RefundFault> for Fault {
    fn from(fault: RefundFault) -> Self {
        match fault {
            RefundFault::NotAllowed => Self::NotAllowed,
            RefundFault::InvalidAmount => Self::InvalidRefundAmount,
            RefundFault::DuplicateKey => Self::DuplicateRefund,
        }
    }
}
