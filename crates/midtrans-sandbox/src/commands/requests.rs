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

/// How an attempt is to end, instead of as its card decides.
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
    /// It is lost on the way, as if the merchant were away.
    pub(crate) drop: bool,
    /// Milliseconds that it is sent late by.
    pub(crate) delay_ms: u32,
    /// How many times it is sent.
    pub(crate) times: u8,
    /// Its signature is made with another key.
    pub(crate) forge: bool,
    /// The amount that it claims instead of the real one.
    pub(crate) gross_amount: Option<i64>,
}

impl Default for Notify {
    fn default() -> Self {
        Self { drop: false, delay_ms: 0, times: 1, forge: false, gross_amount: None }
    }
}

#[derive(Debug)]
pub(crate) struct NewRefund {
    pub(crate) key: Option<String>,
    pub(crate) amount: Option<i64>,
    pub(crate) reason: String,
    pub(crate) direct: bool,
}
