//! What user-service publishes about accounts.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::events::{Event, Stream, Subject};

/// The owner of an account is to get an e-mail. What it says and to whom it goes is asked of user-service when it is sent
/// (`GetAccountMail`): addresses and tokens have no business on a stream. Not even the account is named, so that a
/// request for an address that nobody has looks the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountMailRequested {
    pub mail_id: Uuid,
}

impl Event for AccountMailRequested {
    const TYPE: &'static str = "AccountMailRequested";
    const STREAM: Stream = Stream { name: "stream:accounts:mail", groups: &[] };

    fn subject(&self) -> Option<Subject> {
        None
    }
}
