//! What each payment method adds to a transaction on the wire.

use serde::Serialize;

use crate::method::Method;
use crate::transaction::{Status, Transaction};

/// What the methods add; each sets its own few.
#[derive(Debug, Default, Serialize)]
pub(super) struct MethodDetails {
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

impl MethodDetails {
    pub(super) fn of(attempt: &Transaction) -> Self {
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
            Method::Gopay | Method::Shopeepay | Method::Dana => Self::default(),
            Method::Cstore { store, payment_code } => Self {
                store: Some(store.clone()),
                payment_code: Some(payment_code.clone()),
                ..Self::default()
            },
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
