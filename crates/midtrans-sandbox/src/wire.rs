//! A transaction as Midtrans words it, in replies and in notifications (sections 3.2 and 4.2 of the fact sheet).

use secrecy::{ExposeSecret, SecretString};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha512};
use time::OffsetDateTime;

use crate::jakarta;
use crate::method::Method;
use crate::order::Order;
use crate::transaction::{Fraud, Refund, Status, Transaction};

const MERCHANT_ID: &str = "G000000001";

/// Whole rupiah as Midtrans writes them.
pub(crate) fn amount(rupiah: i64) -> String {
    format!("{rupiah}.00")
}

/// The members in the order of the wire; what does not apply is left out.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Body {
    pub(crate) status_code: &'static str,
    pub(crate) transaction_id: String,
    pub(crate) gross_amount: String,
    currency: &'static str,
    pub(crate) order_id: String,
    payment_type: &'static str,
    pub(crate) signature_key: String,
    pub(crate) transaction_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fraud_status: Option<Fraud>,
    pub(crate) status_message: String,
    merchant_id: &'static str,
    #[serde(flatten)]
    method: MethodDetails,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_amount: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_field1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_field2: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_field3: Option<String>,
    transaction_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement_time: Option<String>,
    expiry_time: String,
}

/// What the methods add; each sets its own few.
#[derive(Debug, Default, Serialize)]
struct MethodDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    va_numbers: Option<[VaNumber; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_amounts: Option<[(); 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permata_va_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    biller_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bill_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acquirer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qr_string: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    masked_card: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eci: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_response_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_response_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    three_ds_version: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct VaNumber {
    bank: String,
    va_number: String,
}

#[derive(Debug, Serialize)]
struct RefundDetails {
    refund_chargeback_id: usize,
    refund_amount: String,
    created_at: String,
    reason: String,
    refund_key: String,
    refund_method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_confirmed_at: Option<String>,
}

impl Body {
    /// Describes an attempt as it looks at a time: a refund is confirmed by the bank only later.
    pub(crate) fn of(order: &Order, attempt: &Transaction, as_of: OffsetDateTime) -> Self {
        let [custom_field1, custom_field2, custom_field3] = order.custom_fields.clone();
        let refunded = attempt.refunded();
        Self {
            transaction_id: attempt.id.clone(),
            gross_amount: amount(attempt.amount),
            currency: "IDR",
            order_id: order.id.clone(),
            payment_type: attempt.method.payment_type().as_str(),
            transaction_status: attempt.status.as_str(),
            fraud_status: (!matches!(&attempt.method, Method::Cstore { store, .. } if store == "indomaret"))
                .then_some(attempt.fraud),
            merchant_id: MERCHANT_ID,
            method: MethodDetails::of(attempt),
            refund_amount: (refunded > 0).then(|| amount(refunded)),
            refunds: attempt.refunds.iter().enumerate().map(|(n, refund)| refund_details(n, refund, as_of)).collect(),
            custom_field1,
            custom_field2,
            custom_field3,
            transaction_time: jakarta::format(attempt.created_at),
            settlement_time: attempt.settled_at.map(jakarta::format),
            expiry_time: jakarta::format(attempt.expires_at),
            ..Self::default()
        }
    }

    /// Adds the outcome of a call and signs it.
    pub(crate) fn answer(mut self, code: &'static str, message: impl Into<String>, key: &SecretString) -> Self {
        self.status_code = code;
        self.status_message = message.into();
        self.signature_key = signature(&self.order_id, code, &self.gross_amount, key);
        self
    }
}

impl MethodDetails {
    fn of(attempt: &Transaction) -> Self {
        match &attempt.method {
            Method::CreditCard { card } => Self::of_card(attempt, &card.masked),
            Method::BankTransfer { bank, va_number } if bank == "permata" => {
                Self { permata_va_number: Some(va_number.clone()), ..Self::default() }
            }
            Method::BankTransfer { bank, va_number } => Self {
                va_numbers: Some([VaNumber { bank: bank.clone(), va_number: va_number.clone() }]),
                payment_amounts: Some([]),
                ..Self::default()
            },
            Method::Echannel { bill_key } => {
                Self { biller_code: Some("70012"), bill_key: Some(bill_key.clone()), ..Self::default() }
            }
            Method::Qris { acquirer } => Self {
                acquirer: Some(acquirer.clone()),
                qr_string: (attempt.status == Status::Pending).then(|| format!("LOCAL-QRIS-{}", attempt.id)),
                transaction_type: attempt.settled_at.map(|_| "on-us"),
                issuer: attempt.settled_at.map(|_| acquirer.clone()),
                ..Self::default()
            },
            Method::Gopay | Method::Shopeepay => Self::default(),
            Method::Cstore { store, payment_code } => {
                Self { store: Some(store.clone()), payment_code: Some(payment_code.clone()), ..Self::default() }
            }
        }
    }

    fn of_card(attempt: &Transaction, masked: &str) -> Self {
        let approved = || ("00".to_owned(), "Approved".to_owned());
        let waiting = attempt.status == Status::Pending;
        let (code, text) = attempt.denial.clone().or_else(|| (!waiting).then(approved)).unzip();
        let approval = attempt.created_at.unix_timestamp_nanos() / 1_000_000;
        Self {
            masked_card: Some(masked.to_owned()),
            bank: Some("cimb"),
            card_type: Some("credit"),
            eci: Some(if masked.starts_with('5') { "02" } else { "05" }),
            approval_code: (!waiting && attempt.denial.is_none()).then(|| approval.to_string()),
            channel_response_code: code,
            channel_response_message: text,
            three_ds_version: Some("2"),
            ..Self::default()
        }
    }
}

fn refund_details(place: usize, refund: &Refund, as_of: OffsetDateTime) -> RefundDetails {
    RefundDetails {
        refund_chargeback_id: place + 1,
        refund_amount: amount(refund.amount),
        created_at: jakarta::format(refund.created_at),
        reason: refund.reason.clone(),
        refund_key: refund.key.clone(),
        refund_method: if refund.direct { "online" } else { "offline" },
        bank_confirmed_at: (refund.confirmed_at <= as_of).then(|| jakarta::format(refund.confirmed_at)),
    }
}

/// The code a notification carries. That of GET status differs for the same transaction.
pub(crate) fn notification_code(attempt: &Transaction) -> &'static str {
    match attempt.status {
        Status::Pending | Status::Authorize => "201",
        Status::Capture if attempt.fraud == Fraud::Challenge => "201",
        Status::Deny | Status::Cancel | Status::Expire => "202",
        Status::Capture | Status::Settlement | Status::Refund | Status::PartialRefund | Status::Chargeback => "200",
    }
}

/// The code of GET status.
pub(crate) fn status_code(attempt: &Transaction) -> &'static str {
    match attempt.status {
        Status::Expire => "407",
        Status::Cancel => "200",
        _ => notification_code(attempt),
    }
}

/// A notification: signed, members in reverse alphabetical order.
pub(crate) fn notification(body: Body, attempt: &Transaction, claim: &Claim, key: &SecretString) -> String {
    let mut body = body;
    if let Some(rupiah) = claim.amount {
        body.gross_amount = amount(rupiah);
    }
    let mut body = body.answer(notification_code(attempt), "midtrans payment notification", key);
    if claim.forged {
        body.signature_key = signature(&body.order_id, body.status_code, &body.gross_amount, &"forged".into());
    }
    serde_json::to_value(body).map(|value| Reversed(&value).to_json()).unwrap_or_default()
}

/// In what a notification is made to deviate from the truth.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claim {
    pub(crate) amount: Option<i64>,
    pub(crate) forged: bool,
}

fn signature(order_id: &str, status_code: &str, gross_amount: &str, key: &SecretString) -> String {
    let mut hash = Sha512::new();
    for part in [order_id, status_code, gross_amount, key.expose_secret()] {
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// Writes objects with their members in reverse alphabetical order.
struct Reversed<'a>(&'a Value);

impl Reversed<'_> {
    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Reversed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => {
                let mut names: Vec<_> = members.keys().collect();
                names.sort_unstable_by(|a, b| b.cmp(a));
                let mut map = serializer.serialize_map(Some(names.len()))?;
                for name in names {
                    map.serialize_entry(name, &Reversed(&members[name]))?;
                }
                map.end()
            }
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Reversed(item))?;
                }
                list.end()
            }
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn notifications_have_their_members_backwards_at_every_level() {
        let value = json!({"a": [{"x": 1, "y": 2}], "c": "1", "b": {}});
        assert_eq!(super::Reversed(&value).to_json(), r#"{"c":"1","b":{},"a":[{"y":2,"x":1}]}"#);
    }

    #[test]
    fn the_signature_is_that_of_the_published_vector() {
        let signature = super::signature("ORDER-101", "200", "10000.00", &"SB-Mid-server-abc123cde456".into());
        assert!(signature.starts_with("4ba1be6b9fb678f95d4a5cfb8fbab562a4b5fa90f3222a05966393087fc3c2ad"));
    }
}
