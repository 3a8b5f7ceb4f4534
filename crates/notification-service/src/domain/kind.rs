//! What a notification says.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a notification says of an order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(example = "paid")]
pub enum Kind {
    /// It was received.
    OrderReceived,
    /// Its goods are set aside, and it can be paid.
    PaymentDue,
    /// Its payment was confirmed.
    Paid,
    /// Its goods have left.
    Shipped,
    /// Its goods have arrived.
    Delivered,
    /// It ended without a purchase.
    Failed,
    /// Its buyer or the shop cancelled it.
    Cancelled,
    /// Money of it went back.
    Refunded,
    /// Its goods could not be delivered.
    Undeliverable,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::OrderReceived,
        Self::PaymentDue,
        Self::Paid,
        Self::Shipped,
        Self::Delivered,
        Self::Failed,
        Self::Cancelled,
        Self::Refunded,
        Self::Undeliverable,
    ];

    /// Whether it is about the customer's money: what is due, what was taken, what went back, and that an order ended. A
    /// customer cannot do without the e-mail that says so; it is the receipt.
    pub const fn is_about_money(self) -> bool {
        matches!(self, Self::PaymentDue | Self::Paid | Self::Failed | Self::Cancelled | Self::Refunded)
    }

    /// As in JSON, the database and the names of templates.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderReceived => "order_received",
            Self::PaymentDue => "payment_due",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
            Self::Undeliverable => "undeliverable",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_wire() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
