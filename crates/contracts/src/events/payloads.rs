//! The members of each event beyond the common ones, by who publishes it. All amounts are whole rupiah, all times UTC.
#![allow(
    missing_docs,
    reason = "a member whose name says it all, such as `order_id`, has no words of its own"
)]

mod accounts;
mod deliveries;
mod orders;
mod payments;
mod sessions;
mod stock;

use serde::{Deserialize, Serialize};

pub use accounts::AccountMailRequested;
pub use deliveries::{DeliveryFailed, DeliveryShipped, DeliverySuccess};
pub use orders::{CancelCause, OrderCancelled, OrderCreated, OrderPaid};
pub use payments::{
    PaymentFailed, PaymentFailure, PaymentRefunded, PaymentReversed, PaymentSuccess, RefundCause,
    ReversalKind,
};
pub use sessions::SessionEnded;
pub use stock::{InsufficientReason, StockInsufficient, StockReserved};

use crate::ProductId;

/// The wire name, the stream and its groups; then the member that says what the order costs, if there is one.
macro_rules! event {
    ($name:ident, $stream:literal, [$($group:ident),*] $(, $total:ident)?) => {
        impl $crate::events::Event for $name {
            const TYPE: &'static str = stringify!($name);
            const STREAM: $crate::events::Stream = $crate::events::Stream { name: $stream, groups: &[$($crate::events::groups::$group),*] };

            fn subject(&self) -> Option<$crate::events::Subject> {
                #[allow(unused_mut, reason = "not every event says what the order costs")]
                let mut subject =
                    $crate::events::Subject { order_id: self.order_id, user_id: self.user_id.into(), total_amount: None };
                $(subject.total_amount = self.$total.into();)?
                Some(subject)
            }
        }
    };
}
use event;

/// A line of an order: so many units of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub product_id: ProductId,
    /// At least 1; the largest is the cart's limit for one product.
    pub quantity: i32,
}

/// A product of which too little was free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    pub product_id: ProductId,
    pub requested: i32,
    /// Units that were free; 0 for a product that is gone.
    pub available: i64,
}

/// Where an order goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ShippingAddress {
    /// Who receives it.
    #[schema(min_length = 1, max_length = 200, example = "Ani Wijaya")]
    pub recipient: String,
    /// The recipient's telephone number.
    #[schema(min_length = 1, max_length = 200, example = "+62 811 2345 678")]
    pub phone: String,
    /// Street and number.
    #[schema(min_length = 1, max_length = 200, example = "Jl. Mawar 1")]
    pub street: String,
    /// City.
    #[schema(min_length = 1, max_length = 200, example = "Bandung")]
    pub city: String,
    /// Province or state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 200, example = "Jawa Barat")]
    pub province: Option<String>,
    /// Postal code.
    #[schema(min_length = 1, max_length = 200, example = "40111")]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2 country code.
    #[schema(pattern = "^[A-Z]{2}$", example = "ID")]
    pub country: String,
}
