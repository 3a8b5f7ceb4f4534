//! An order as Midtrans knows it: the payment page made for it, and every attempt to pay it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::method::Method;
use crate::transaction::Transaction;

/// Everything kept under one order id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: String,
    /// The newest page; making another revokes it. None for orders that came by the Core API.
    pub(crate) page: Option<Page>,
    /// Oldest first. A denied card is followed by the next attempt, with an id of its own.
    pub(crate) attempts: Vec<Transaction>,
    /// Said back in replies and notifications.
    pub(crate) custom_fields: [Option<String>; 3],
    pub(crate) destinations: Destinations,
    pub(crate) updated_at: OffsetDateTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) token: String,
    pub(crate) amount: i64,
    pub(crate) closes_at: OffsetDateTime,
    pub(crate) payment_expiry: Option<PaymentExpiry>,
    /// Where the customer goes after the page: the `finish` of the request.
    pub(crate) finish: Option<String>,
    pub(crate) canceled: bool,
    /// How many attempts are older than the page: an order id can be used again once they are over.
    pub(crate) attempts_before: usize,
}

/// How long a chosen method can be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PaymentExpiry {
    /// Without it the clock starts when the method is chosen.
    pub(crate) start: Option<OffsetDateTime>,
    pub(crate) duration: Duration,
}

impl PaymentExpiry {
    pub(crate) fn end(self, chosen_at: OffsetDateTime) -> OffsetDateTime {
        self.start.unwrap_or(chosen_at) + self.duration
    }
}

/// Where notifications go, if not only to the address of the account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Destinations {
    /// Of `X-Override-Notification`: only there, not to the account's address.
    pub(crate) instead: Vec<String>,
    /// Of `X-Append-Notification`: there, and to the account's address.
    pub(crate) also: Vec<String>,
}

/// What a customer finds who opens the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PageState {
    /// Nothing is chosen, and a method can be.
    Open,
    /// A method is chosen and waits to be paid.
    Waiting,
    /// Paid, or over: nothing can be done any more.
    Used,
    /// The merchant closed it: nothing can be chosen any more.
    Canceled,
    /// Its time is over: nothing can be chosen any more.
    Expired,
}

impl Order {
    pub(crate) fn new(id: String, now: OffsetDateTime) -> Self {
        Self {
            id,
            page: None,
            attempts: Vec::new(),
            custom_fields: [None, None, None],
            destinations: Destinations::default(),
            updated_at: now,
        }
    }

    /// The attempt that an order id stands for.
    pub(crate) fn latest(&self) -> Option<&Transaction> {
        self.attempts.last()
    }

    /// The order id may be used again: nothing is chosen, or what was chosen is over.
    pub(crate) fn is_free(&self) -> bool {
        !self.attempts.iter().any(Transaction::occupies_order)
    }

    pub(crate) fn page_state(&self, now: OffsetDateTime) -> Option<PageState> {
        use crate::transaction::Status::{Authorize, Deny, Pending};
        let page = self.page.as_ref()?;
        let on_this_page = self.attempts.get(page.attempts_before..).and_then(<[_]>::last);
        Some(match on_this_page.map(|attempt| attempt.status) {
            Some(Pending | Authorize) => PageState::Waiting,
            Some(status) if status != Deny => PageState::Used,
            _ if page.canceled => PageState::Canceled,
            _ if page.closes_at <= now => PageState::Expired,
            _ => PageState::Open,
        })
    }

    /// When the clock has to look at the order.
    pub(crate) fn due_at(&self) -> Option<OffsetDateTime> {
        self.attempts.iter().filter_map(Transaction::due_at).min()
    }

    /// Until when a method chosen now can be paid.
    pub(crate) fn payment_end(&self, method: &Method, now: OffsetDateTime) -> OffsetDateTime {
        let expiry = self.page.as_ref().and_then(|page| page.payment_expiry);
        expiry.map_or(now + method.default_expiry(), |expiry| expiry.end(now))
    }
}
