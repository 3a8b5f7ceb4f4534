//! What user-service publishes about sessions.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::events::{Event, Stream, Subject};

/// A session ended: its access tokens are refused from now on. Read by every process, without a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnded {
    /// The session, as the token's `sid` names it.
    pub sid: String,
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
}

impl Event for SessionEnded {
    const TYPE: &'static str = "SessionEnded";
    const STREAM: Stream = Stream { name: "stream:sessions:ended", groups: &[] };

    fn subject(&self) -> Option<Subject> {
        None
    }
}
