//! What the errors of this service are to its callers.

use chassis::{Codes, Problem, Refuses, codes};

use crate::app::RetryNotificationError;

codes! {
    /// Why this service refuses a request.
    pub enum Code {
        /// There is no such notification.
        UnknownNotification(NOT_FOUND, "not_found"),
        /// Only what bounced or was given up is sent again.
        NotRetriable(CONFLICT, "not_retriable"),
    }
}

impl Refuses for RetryNotificationError {
    const CODES: Codes = &[&Code::UnknownNotification, &Code::NotRetriable];
}

impl From<RetryNotificationError> for Problem {
    fn from(error: RetryNotificationError) -> Self {
        match error {
            RetryNotificationError::Unknown => Code::UnknownNotification.into(),
            RetryNotificationError::NotRetriable(state) => {
                let detail = format!("A notification that is {state} is not sent again.");
                Self::new(Code::NotRetriable, detail).with("state", state.as_str())
            }
            RetryNotificationError::Database(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented() {
        let faults = testkit::undocumented::<crate::NotificationService>(Code::ALL, &[]);
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
