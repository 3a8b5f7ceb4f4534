//! A transaction as Midtrans words it, in replies and in notifications (FACTS.md of the midtrans crate, 3.2 and 4.2).

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha512};
use time::OffsetDateTime;

use crate::method::Method;
use crate::order::Order;
use crate::transaction::{Fraud, Refund, Status, Transaction};
use crate::wib;

mod method_details;
mod notification;

use self::method_details::MethodDetails;
pub(crate) use self::notification::{Claim, notification};

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
            refunds: attempt
                .refunds
                .iter()
                .enumerate()
                .map(|(n, refund)| refund_details(n, refund, as_of))
                .collect(),
            custom_field1,
            custom_field2,
            custom_field3,
            transaction_time: wib::format(attempt.created_at),
            settlement_time: attempt.settled_at.map(wib::format),
            expiry_time: wib::format(attempt.expires_at),
            ..Self::default()
        }
    }

    /// The same as the Core API words it: where it finds a transaction by its own id only, it names that id as the
    /// order's, and says nothing of the order's fields (section 3.2).
    pub(crate) fn of_core(order: &Order, attempt: &Transaction, as_of: OffsetDateTime) -> Self {
        let body = Self::of(order, attempt, as_of);
        if !attempt.method.is_found_by_transaction_only() {
            return body;
        }
        let order_id = body.transaction_id.clone();
        Self { order_id, custom_field1: None, custom_field2: None, custom_field3: None, ..body }
    }

    /// Adds the outcome of a call and signs it.
    pub(crate) fn answer(
        mut self,
        code: &'static str,
        message: impl Into<String>,
        key: &SecretString,
    ) -> Self {
        self.status_code = code;
        self.status_message = message.into();
        self.signature_key = signature(&self.order_id, code, &self.gross_amount, key);
        self
    }
}

fn refund_details(place: usize, refund: &Refund, as_of: OffsetDateTime) -> RefundDetails {
    RefundDetails {
        refund_chargeback_id: place + 1,
        refund_amount: amount(refund.amount),
        created_at: wib::format(refund.created_at),
        reason: refund.reason.clone(),
        refund_key: refund.key.clone(),
        refund_method: if refund.direct { "online" } else { "offline" },
        bank_confirmed_at: (refund.confirmed_at <= as_of).then(|| wib::format(refund.confirmed_at)),
    }
}

/// The code a notification carries. That of GET status differs for the same transaction.
pub(crate) fn notification_code(attempt: &Transaction) -> &'static str {
    match attempt.status {
        Status::Pending => "201",
        Status::Capture if attempt.fraud == Fraud::Challenge => "201",
        Status::Deny | Status::Cancel | Status::Expire => "202",
        Status::Authorize
        | Status::Capture
        | Status::Settlement
        | Status::Refund
        | Status::PartialRefund
        | Status::Chargeback => "200",
    }
}

/// The code that GET status answers with.
pub(crate) fn status_code(attempt: &Transaction) -> &'static str {
    match attempt.status {
        Status::Expire => "407",
        Status::Cancel => "200",
        _ => notification_code(attempt),
    }
}

fn signature(order_id: &str, status_code: &str, gross_amount: &str, key: &SecretString) -> String {
    let mut hash = Sha512::new();
    for part in [order_id, status_code, gross_amount, key.expose_secret()] {
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_signature_is_that_of_the_published_vector() {
        let signature =
            super::signature("ORDER-101", "200", "10000.00", &"SB-Mid-server-abc123cde456".into());
        assert!(signature.starts_with("4ba1be6b9fb678f95d4a5cfb8fbab562a4b5fa90f3222a05966393087fc3c2ad"));
    }
}
