//! What order-service publishes about an order.

use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, json::JsonString, serde_as, skip_serializing_none};
use time::OffsetDateTime;

use super::{Item, ShippingAddress, event};
use crate::{OrderId, UserId};

/// An order was received. product-service holds the stock, payment-service prepares a payment.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCreated {
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    #[serde_as(as = "DisplayFromStr")]
    pub user_id: UserId,
    /// What all lines cost together, in whole rupiah.
    #[serde_as(as = "DisplayFromStr")]
    pub total_amount: i64,
    #[serde_as(as = "JsonString")]
    pub items: Vec<Item>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}
event!(OrderCreated, "stream:orders:created", [PRODUCT, PAYMENT], total_amount);

/// An order is paid. cart-service takes out what was bought, delivery-service starts, product-service books the sale.
#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPaid {
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    #[serde_as(as = "DisplayFromStr")]
    pub user_id: UserId,
    /// What all lines cost together, in whole rupiah.
    #[serde_as(as = "DisplayFromStr")]
    pub total_amount: i64,
    #[serde_as(as = "JsonString")]
    pub items: Vec<Item>,
    /// When the order was placed, by order-service's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub ordered_at: OffsetDateTime,
    /// When the cart was read for the order, by cart-service's clock: lines added later stay. Older orders have none; then
    /// `ordered_at` counts.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub cart_read_at: Option<OffsetDateTime>,
    /// Where it goes, if the buyer said.
    #[serde_as(as = "Option<JsonString>")]
    #[serde(default)]
    pub shipping_address: Option<ShippingAddress>,
}
event!(OrderPaid, "stream:orders:paid", [CART, DELIVERY, PRODUCT], total_amount);

/// Why an order ended FAILED or CANCELLED.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum CancelCause {
    /// Its buyer cancelled it before it was paid.
    Customer,
    /// An administrator cancelled it, paid or not.
    Admin,
    /// Some of its goods were not there.
    Stock,
    /// Its payment ended without money; `PaymentFailed` says how.
    Payment,
    /// It stayed unanswered for too long.
    Timeout,
}

/// An order ended FAILED or CANCELLED. product-service gives its hold back, payment-service closes or refunds.
#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCancelled {
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    #[serde_as(as = "DisplayFromStr")]
    pub user_id: UserId,
    /// What the order costs, in rupiah. Older events do not have it.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub total_amount: Option<i64>,
    #[serde_as(as = "JsonString")]
    pub items: Vec<Item>,
    pub cause: CancelCause,
}
event!(OrderCancelled, "stream:orders:cancelled", [PRODUCT, PAYMENT], total_amount);
