//! What can go wrong, sorted by what the caller has to do about it.

use std::borrow::Cow;

/// Why a call to Midtrans did not succeed (section 3.1).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The [`Config`](crate::Config) cannot be used.
    #[error("the Midtrans client is not configured correctly: {0}")]
    Config(String),
    /// 401 or 402: wrong server key, key of the other environment, or a payment type that is not activated. No retry
    /// helps; the operator has to look at the key and the account.
    #[error("Midtrans does not accept the server key, check it and the account: {code} {message}")]
    Unauthorized {
        /// 401 or 402.
        code: u16,
        /// What Midtrans says about it, in English.
        message: String,
    },
    /// 404: no such transaction. For a Snap order it means that no payment method has been chosen yet (section 0.3).
    #[error("Midtrans does not know it: {0}")]
    NotFound(String),
    /// 412: the transaction is in a state that does not allow the action; read its status again.
    #[error("the transaction is in another state: {0}")]
    CannotUpdate(String),
    /// 406: something with this key exists already. For a refund: it was accepted before, look in `refunds`.
    #[error("it exists already: {0}")]
    Conflict(String),
    /// The order id belongs to another, active or paid transaction of this Midtrans account (section 2.1).
    #[error("the order id is already in use: {}", .0.join("; "))]
    DuplicateOrderId(Vec<String>),
    /// The request itself is wrong (400 and the rarer codes of that kind); sending it again changes nothing.
    #[error("Midtrans rejected the request: {code} {}", .messages.join("; "))]
    Rejected {
        /// Midtrans' status code, mostly 400.
        code: u16,
        /// What is wrong with it, one entry per fault.
        messages: Vec<String>,
    },
    /// 414, or 202 of the bank: this refund will not be made.
    #[error("the refund is refused: {0}")]
    RefundRejected(String),
    /// 429: too many requests.
    #[error("Midtrans asks to slow down")]
    RateLimited,
    /// 5xx, no connection, no answer in time, or an answer that is not Midtrans' (section 3.1: gateways in front of it
    /// answer in HTML). Whether the request took effect is unknown.
    #[error("Midtrans is unavailable: {reason}")]
    Unavailable {
        /// What was seen instead of an answer.
        reason: Cow<'static, str>,
        /// The transport's own error, if there was one.
        #[source]
        source: Option<reqwest::Error>,
    },
}

impl Error {
    /// True if the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited | Self::Unavailable { .. } => true,
            Self::Config(_)
            | Self::Unauthorized { .. }
            | Self::NotFound(_)
            | Self::CannotUpdate(_)
            | Self::Conflict(_)
            | Self::DuplicateOrderId(_)
            | Self::Rejected { .. }
            | Self::RefundRejected(_) => false,
        }
    }

    pub(crate) fn unavailable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Unavailable { reason: reason.into(), source: None }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        let reason = if error.is_timeout() {
            "no answer in time"
        } else if error.is_connect() {
            "no connection"
        } else {
            "the exchange broke off"
        };
        // The address holds the order id and adds nothing the caller does not know.
        Self::Unavailable { reason: reason.into(), source: Some(error.without_url()) }
    }
}
