//! The states of an order by name.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an order stands, from its receipt to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = OrderStatus, example = "AWAITING_PAYMENT")]
pub enum Status {
    /// Placed; its goods are not held yet.
    Received,
    /// Its goods are held, and it can be paid.
    AwaitingPayment,
    /// Paid; the goods have not left yet.
    Paid,
    /// The goods have left, and were not delivered yet.
    Shipped,
    /// The goods have arrived at the buyer.
    Delivered,
    /// The goods could not be delivered; the money is on its way back.
    DeliveryFailed,
    /// It ended before it was paid.
    Failed,
    /// Its buyer or an administrator ended it.
    Cancelled,
    /// The money of an undeliverable order is back.
    Refunded,
}

impl Status {
    pub const ALL: [Self; 9] = [
        Self::Received,
        Self::AwaitingPayment,
        Self::Paid,
        Self::Shipped,
        Self::Delivered,
        Self::DeliveryFailed,
        Self::Failed,
        Self::Cancelled,
        Self::Refunded,
    ];

    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "RECEIVED",
            Self::AwaitingPayment => "AWAITING_PAYMENT",
            Self::Paid => "PAID",
            Self::Shipped => "SHIPPED",
            Self::Delivered => "DELIVERED",
            Self::DeliveryFailed => "DELIVERY_FAILED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Refunded => "REFUNDED",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
