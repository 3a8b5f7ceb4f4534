//! How the customer pays, with the details Midtrans makes up for each method.

use std::time::Duration;

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use crate::cards::Card;

/// A chosen method, with the details that Midtrans gave out for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Method {
    CreditCard { card: Card },
    BankTransfer { bank: String, va_number: String },
    Echannel { bill_key: String },
    Qris { acquirer: String },
    Gopay,
    Shopeepay,
    Dana,
    Cstore { store: String, payment_code: String },
}

/// Banks whose virtual accounts go by the BI-SNAP standard (section 3.2).
const BI_SNAP_BANKS: [&str; 4] = ["bsi", "danamon", "seabank", "saqu"];

/// The names of the methods, as `payment_type` carries them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentType {
    #[default]
    CreditCard,
    BankTransfer,
    Echannel,
    Qris,
    Gopay,
    Shopeepay,
    Dana,
    Cstore,
}

impl Method {
    pub(crate) fn bank_transfer(bank: &str) -> Self {
        Self::BankTransfer { bank: bank.to_owned(), va_number: digits(11) }
    }

    pub(crate) fn echannel() -> Self {
        Self::Echannel { bill_key: digits(12) }
    }

    pub(crate) fn qris(acquirer: &str) -> Self {
        Self::Qris { acquirer: acquirer.to_owned() }
    }

    pub(crate) fn cstore(store: &str) -> Self {
        Self::Cstore { store: store.to_owned(), payment_code: digits(16) }
    }

    pub(crate) fn payment_type(&self) -> PaymentType {
        match self {
            Self::CreditCard { .. } => PaymentType::CreditCard,
            Self::BankTransfer { .. } => PaymentType::BankTransfer,
            Self::Echannel { .. } => PaymentType::Echannel,
            Self::Qris { .. } => PaymentType::Qris,
            Self::Gopay => PaymentType::Gopay,
            Self::Shopeepay => PaymentType::Shopeepay,
            Self::Dana => PaymentType::Dana,
            Self::Cstore { .. } => PaymentType::Cstore,
        }
    }

    pub(crate) fn is_card(&self) -> bool {
        matches!(self, Self::CreditCard { .. })
    }

    /// Midtrans finds it by its transaction id only, and answers with that id in the place of the order's (section 3.2).
    pub(crate) fn is_found_by_transaction_only(&self) -> bool {
        match self {
            Self::Dana => true,
            Self::BankTransfer { bank, .. } => BI_SNAP_BANKS.contains(&bank.as_str()),
            _ => false,
        }
    }

    /// What was paid into an account or at a till cannot be sent back by Midtrans.
    pub(crate) fn is_refundable(&self) -> bool {
        !matches!(self, Self::BankTransfer { .. } | Self::Echannel { .. } | Self::Cstore { .. })
    }

    /// How long the customer has, where the merchant does not say.
    pub(crate) fn default_expiry(&self) -> Duration {
        match self {
            Self::CreditCard { .. } | Self::Qris { .. } | Self::Gopay | Self::Shopeepay | Self::Dana => {
                Duration::from_mins(15)
            }
            Self::Echannel { .. } => Duration::from_hours(2),
            Self::BankTransfer { .. } | Self::Cstore { .. } => Duration::from_hours(24),
        }
    }
}

impl PaymentType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::CreditCard => "credit_card",
            Self::BankTransfer => "bank_transfer",
            Self::Echannel => "echannel",
            Self::Qris => "qris",
            Self::Gopay => "gopay",
            Self::Shopeepay => "shopeepay",
            Self::Dana => "dana",
            Self::Cstore => "cstore",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let all = [
            Self::CreditCard,
            Self::BankTransfer,
            Self::Echannel,
            Self::Qris,
            Self::Gopay,
            Self::Shopeepay,
            Self::Dana,
            Self::Cstore,
        ];
        all.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The method with the details that a customer gets: the card, or the bank of the account to transfer to.
    pub(crate) fn method(self, card: Card, bank: &str) -> Method {
        match self {
            Self::CreditCard => Method::CreditCard { card },
            Self::BankTransfer => Method::bank_transfer(bank),
            Self::Echannel => Method::echannel(),
            Self::Qris => Method::qris("gopay"),
            Self::Gopay => Method::Gopay,
            Self::Shopeepay => Method::Shopeepay,
            Self::Dana => Method::Dana,
            Self::Cstore => Method::cstore("indomaret"),
        }
    }
}

fn digits(count: usize) -> String {
    let mut rng = rand::rng();
    (0..count).map(|_| char::from(rng.random_range(b'0'..=b'9'))).collect()
}
