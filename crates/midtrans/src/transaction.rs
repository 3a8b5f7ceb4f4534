//! What Midtrans says about a transaction, in replies of the Core API as in notifications.

use serde::{Deserialize, Deserializer};
use time::OffsetDateTime;

use crate::{amount, lenient, times};

/// One transaction (sections 3.2 and 4.2). Fields this crate does not know are ignored, and of those it knows only the ones
/// that decide about money have to be well-formed: Midtrans adds and changes fields at any time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Transaction {
    /// Midtrans' own id. Usually a UUID, not always (section 0.6): never parse it.
    pub transaction_id: String,
    /// The id the merchant gave in `transaction_details.order_id`; of some methods the transaction's own id (section 3.2),
    /// so it does not prove whose transaction this is.
    #[serde(default, deserialize_with = "lenient::text")]
    pub order_id: String,
    /// The first of the fields that the merchant gave with the order. Notifications repeat it; on the methods above the
    /// other replies may not.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub custom_field1: Option<String>,
    /// Where the transaction stands; the one field to branch on (section 3.1).
    pub transaction_status: TransactionStatus,
    /// Result of the fraud detection. Absent counts as accepted (section 4.2).
    #[serde(default)]
    pub fraud_status: Option<FraudStatus>,
    /// The method the customer chose, such as `credit_card`, `bank_transfer` or `qris`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub payment_type: String,
    /// What the customer pays, in rupiah, including a fee that Midtrans put on top (section 0.8).
    #[serde(deserialize_with = "amount::required")]
    pub gross_amount: i64,
    /// `IDR`, also where Midtrans leaves it out (replies to actions).
    #[serde(default = "idr", deserialize_with = "currency")]
    pub currency: String,
    /// When the customer chose the method.
    #[serde(default, deserialize_with = "times::optional")]
    pub transaction_time: Option<OffsetDateTime>,
    /// When the money arrived; only once it has.
    #[serde(default, deserialize_with = "times::optional")]
    pub settlement_time: Option<OffsetDateTime>,
    /// Until when the customer can pay.
    #[serde(default, deserialize_with = "times::optional")]
    pub expiry_time: Option<OffsetDateTime>,
    /// What has been given back so far, all refunds together (section 7).
    #[serde(default, deserialize_with = "amount::lenient")]
    pub refund_amount: Option<i64>,
    /// The refunds one by one, as far as they can be read.
    #[serde(default, deserialize_with = "lenient::list")]
    pub refunds: Vec<RefundRecord>,
    /// Present when Midtrans put a fee on top of what was asked for.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub metadata: Option<Metadata>,
}

fn idr() -> String {
    "IDR".to_owned()
}

/// Null is as good as left out; anything but a text is no currency that an order was priced in.
fn currency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = lenient::text(deserializer)?;
    Ok(if text.is_empty() { idr() } else { text })
}

impl Transaction {
    /// What was charged for the order itself: the original amount if Midtrans put a fee on top, else the gross amount.
    /// Compare this one with the price of the order (section 0.8).
    pub fn charged_for_order(&self) -> i64 {
        self.original_amount().filter(|original| *original <= self.gross_amount).unwrap_or(self.gross_amount)
    }

    /// The money is there: settled, or captured and not held back by the fraud detection (section 4.5).
    pub fn is_paid(&self) -> bool {
        match self.transaction_status {
            TransactionStatus::Settlement => true,
            TransactionStatus::Capture => {
                matches!(self.fraud_status, None | Some(FraudStatus::Accept))
            }
            _ => false,
        }
    }

    fn original_amount(&self) -> Option<i64> {
        self.metadata.as_ref()?.extra_info.as_ref()?.gross_amount_info.as_ref()?.original_amount
    }
}

/// Where a transaction stands (section 4.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransactionStatus {
    /// The card is charged provisionally; the merchant has to capture.
    Authorize,
    /// The card is charged; settles by itself within a day.
    Capture,
    /// The money has arrived at the merchant.
    Settlement,
    /// The customer has chosen a method and has yet to pay.
    Pending,
    /// Refused. Not final for an order paid through Snap: the customer may try again (section 0.4).
    Deny,
    /// Cancelled before it was settled: nothing is charged.
    Cancel,
    /// Not paid in its time: nothing is charged.
    Expire,
    /// Midtrans could not process it: nothing is charged.
    Failure,
    /// Given back in full; `refunds` lists the parts.
    Refund,
    /// Given back in part; `refunds` lists the parts.
    PartialRefund,
    /// Taken back by the card holder's bank.
    Chargeback,
    /// Taken back in part by the card holder's bank.
    PartialChargeback,
    /// A status this crate does not know, in lower case.
    Other(String),
}

impl TransactionStatus {
    /// The name on the wire, also of a status that this program does not know.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Authorize => "authorize",
            Self::Capture => "capture",
            Self::Settlement => "settlement",
            Self::Pending => "pending",
            Self::Deny => "deny",
            Self::Cancel => "cancel",
            Self::Expire => "expire",
            Self::Failure => "failure",
            Self::Refund => "refund",
            Self::PartialRefund => "partial_refund",
            Self::Chargeback => "chargeback",
            Self::PartialChargeback => "partial_chargeback",
            Self::Other(name) => name,
        }
    }

    /// Reads the name in any case: an acquirer once sent `PENDING` (section 0.7).
    pub fn parse(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "authorize" => Self::Authorize,
            "capture" => Self::Capture,
            "settlement" => Self::Settlement,
            "pending" => Self::Pending,
            "deny" => Self::Deny,
            "cancel" => Self::Cancel,
            "expire" => Self::Expire,
            "failure" => Self::Failure,
            "refund" => Self::Refund,
            "partial_refund" => Self::PartialRefund,
            "chargeback" => Self::Chargeback,
            "partial_chargeback" => Self::PartialChargeback,
            _ => Self::Other(name),
        }
    }
}

impl<'de> Deserialize<'de> for TransactionStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::parse(&String::deserialize(deserializer)?))
    }
}

/// Result of Midtrans' fraud detection (section 4.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FraudStatus {
    /// Nothing suspicious.
    Accept,
    /// The merchant has to approve or deny it.
    Challenge,
    /// Refused.
    Deny,
    /// A result this crate does not know, in lower case.
    Other(String),
}

impl FraudStatus {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Accept => "accept",
            Self::Challenge => "challenge",
            Self::Deny => "deny",
            Self::Other(name) => name,
        }
    }

    /// Reads the name in any case.
    pub fn parse(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "accept" => Self::Accept,
            "challenge" => Self::Challenge,
            "deny" => Self::Deny,
            _ => Self::Other(name),
        }
    }
}

impl<'de> Deserialize<'de> for FraudStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::parse(&lenient::text(deserializer)?))
    }
}

/// One refund of a transaction (section 4.2).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RefundRecord {
    /// The key the merchant gave; Midtrans makes one up if there was none.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub refund_key: Option<String>,
    /// What was given back, in rupiah.
    #[serde(deserialize_with = "amount::required")]
    pub refund_amount: i64,
    /// The reason that the merchant gave.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub reason: Option<String>,
    /// When the bank confirmed it; the notification is sent once without and once with it.
    #[serde(default, deserialize_with = "times::optional")]
    pub bank_confirmed_at: Option<OffsetDateTime>,
}

/// The part of `metadata` that says how a fee was put on top (section 0.8).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct Metadata {
    /// Midtrans' own additions.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub extra_info: Option<ExtraInfo>,
}

/// See [`Metadata`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct ExtraInfo {
    /// How the gross amount came about.
    #[serde(default, deserialize_with = "lenient::optional")]
    pub gross_amount_info: Option<GrossAmountInfo>,
}

/// See [`Metadata`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[non_exhaustive]
pub struct GrossAmountInfo {
    /// What the merchant asked for, in rupiah.
    #[serde(default, deserialize_with = "amount::lenient")]
    pub original_amount: Option<i64>,
    /// The fee the customer pays on top, in rupiah.
    #[serde(default, deserialize_with = "amount::lenient")]
    pub customer_imposed_payment_fee: Option<i64>,
}

#[cfg(test)]
mod tests;
