//! The requests that the use cases take.

use serde::Deserialize;
use time::OffsetDateTime;

use crate::cards::Card;
use crate::method::{Method, PaymentType};
use crate::order::{Destinations, PaymentExpiry};

/// A payment page to be made.
#[derive(Debug)]
pub(crate) struct NewPage {
    pub(crate) order_id: String,
    pub(crate) amount: i64,
    pub(crate) closes_at: OffsetDateTime,
    pub(crate) payment_expiry: Option<PaymentExpiry>,
    pub(crate) finish: Option<String>,
    pub(crate) custom_fields: [Option<String>; 3],
    pub(crate) destinations: Destinations,
}

/// A charge by the Core API, without a page.
#[derive(Debug)]
pub(crate) struct NewCharge {
    pub(crate) order_id: String,
    pub(crate) amount: i64,
    pub(crate) method: Method,
    pub(crate) expiry: Option<PaymentExpiry>,
    pub(crate) authorize_only: bool,
    pub(crate) custom_fields: [Option<String>; 3],
    pub(crate) destinations: Destinations,
}

/// What the customer does on the page, or is made to do.
#[derive(Debug, Default)]
pub(crate) struct Payment {
    pub(crate) kind: Option<PaymentType>,
    pub(crate) card: Option<Card>,
    /// Of a virtual account, such as `bca` or `bsi`.
    pub(crate) bank: Option<String>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) amount: Option<i64>,
    pub(crate) notify: Notify,
}

/// How an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Settlement,
    Capture,
    Challenge,
    Deny,
    Pending,
    Cancel,
    Expire,
}

/// How the notification about it reaches the merchant.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Notify {
    /// Lost on the way.
    pub(crate) drop: bool,
    /// Late.
    pub(crate) delay_ms: u32,
    /// Sent so often.
    pub(crate) times: u8,
    /// Signed by somebody else.
    pub(crate) forge: bool,
    /// Claims another amount.
    pub(crate) gross_amount: Option<i64>,
}

impl Default for Notify {
    fn default() -> Self {
        Self { drop: false, delay_ms: 0, times: 1, forge: false, gross_amount: None }
    }
}

/// A refund to be made.
#[derive(Debug)]
pub(crate) struct NewRefund {
    pub(crate) key: Option<String>,
    pub(crate) amount: Option<i64>,
    pub(crate) reason: String,
    pub(crate) direct: bool,
}
