//! How the customer pays, with the details Midtrans makes up for each method.

use std::time::Duration;

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use crate::cards::Card;

/// A chosen method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Method {
    CreditCard { card: Card },
    BankTransfer { bank: String, va_number: String },
    Echannel { bill_key: String },
    Qris { acquirer: String },
    Gopay,
    Shopeepay,
    Cstore { store: String, payment_code: String },
}

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
            Self::Cstore { .. } => PaymentType::Cstore,
        }
    }

    pub(crate) fn is_card(&self) -> bool {
        matches!(self, Self::CreditCard { .. })
    }

    /// What was paid into an account or at a till cannot be sent back by Midtrans.
    pub(crate) fn is_refundable(&self) -> bool {
        !matches!(self, Self::BankTransfer { .. } | Self::Echannel { .. } | Self::Cstore { .. })
    }

    /// How long the customer has, where the merchant does not say.
    pub(crate) fn default_expiry(&self) -> Duration {
        match self {
            Self::CreditCard { .. } | Self::Qris { .. } | Self::Gopay | Self::Shopeepay => {
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
            Self::Cstore,
        ];
        all.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The method with what a customer gets who chooses it without further wishes. A card needs its number.
    pub(crate) fn usual(self, card: Card) -> Method {
        match self {
            Self::CreditCard => Method::CreditCard { card },
            Self::BankTransfer => Method::bank_transfer("bca"),
            Self::Echannel => Method::echannel(),
            Self::Qris => Method::qris("gopay"),
            Self::Gopay => Method::Gopay,
            Self::Shopeepay => Method::Shopeepay,
            Self::Cstore => Method::cstore("indomaret"),
        }
    }
}

fn digits(count: usize) -> String {
    let mut rng = rand::rng();
    (0..count).map(|_| char::from(rng.random_range(b'0'..=b'9'))).collect()
}
