//! Why an event could not be handled, in terms of what is to be done about it.

use contracts::events::Undecodable;

/// Any cause. It is logged with its whole chain, and a dead letter keeps that text.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The longest text that is written into a dead letter.
const MAX_TEXT: usize = 1_000;

/// Why an event was not handled, and so what becomes of it.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// Something that the handler needs is down: tried again for as long as it takes.
    #[error("a dependency failed")]
    Retry(#[source] Error),
    /// The event came before its cause: tried again for 24 hours, then a dead letter.
    #[error("too early: {0}")]
    NotYet(String),
    /// The handler is wrong about something: tried again a few times, then a dead letter.
    #[error("handler failed")]
    Bug(#[source] Error),
    /// This event can never be handled: a dead letter at once.
    #[error("rejected: {0}")]
    Reject(String),
}

/// What became of each event of a batch, in its order.
pub type Outcomes = Vec<Result<(), HandlerError>>;

impl HandlerError {
    /// A dependency is down or slow: the entry is tried again, for as long as it takes.
    pub fn retry(error: impl Into<Error>) -> Self {
        Self::Retry(error.into())
    }

    /// The event's cause has not come yet.
    pub fn not_yet(why: impl Into<String>) -> Self {
        Self::NotYet(why.into())
    }

    /// What should never happen did: ten tries over at least ten minutes, then a dead letter.
    pub fn bug(error: impl Into<Error>) -> Self {
        Self::Bug(error.into())
    }

    /// The event can never be handled.
    pub fn reject(why: impl Into<String>) -> Self {
        Self::Reject(why.into())
    }

    /// Whether the database cannot be reached, so that no event can be handled.
    pub(crate) fn is_unreachable(&self) -> bool {
        use sqlx::Error::{Io, PoolClosed, PoolTimedOut};
        let Self::Retry(error) = self else { return false };
        matches!(error.downcast_ref(), Some(Io(_) | PoolClosed | PoolTimedOut))
    }

    /// The error, once for each event that could not be handled meanwhile. The first has the error itself.
    pub(crate) fn for_each(self) -> impl Iterator<Item = Self> {
        let text = self.text();
        std::iter::once(self).chain(std::iter::repeat_with(move || Self::retry(text.clone())))
    }

    /// The value of the `outcome` label.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Retry(_) => "retry",
            Self::NotYet(_) => "not_yet",
            Self::Bug(_) => "bug",
            Self::Reject(_) => "reject",
        }
    }

    /// The whole chain of causes in one line.
    pub(crate) fn text(&self) -> String {
        chassis::error_chain(self).chars().take(MAX_TEXT).collect()
    }
}

/// A bug if a statement of ours can be blamed; failures of the database itself are retried.
impl From<sqlx::Error> for HandlerError {
    fn from(error: sqlx::Error) -> Self {
        if chassis::database::is_transient(&error) { Self::retry(error) } else { Self::bug(error) }
    }
}

impl From<Undecodable> for HandlerError {
    fn from(error: Undecodable) -> Self {
        Self::Reject(chassis::error_chain(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_has_the_whole_chain_of_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("no answer from the peer")]
        struct Outer(#[source] std::io::Error);
        let fail = HandlerError::bug(Outer(std::io::Error::other("connection reset")));
        assert_eq!(fail.text(), "handler failed: no answer from the peer: connection reset");
    }

    #[test]
    fn a_database_that_is_away_is_waited_for_and_a_wrong_statement_is_a_bug() {
        assert!(matches!(HandlerError::from(sqlx::Error::PoolTimedOut), HandlerError::Retry(_)));
        assert!(matches!(HandlerError::from(sqlx::Error::RowNotFound), HandlerError::Bug(_)));
    }
}
