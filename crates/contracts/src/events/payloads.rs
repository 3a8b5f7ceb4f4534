//! The members of each event beyond the common ones. All amounts are whole rupiah, all times UTC.

use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, json::JsonString, serde_as, skip_serializing_none};
use time::OffsetDateTime;

use super::{Event, Stream, groups};
use crate::{DeliveryId, OrderId, ProductId, UserId};

macro_rules! event {
    ($name:ident, $stream:literal, [$($group:ident),*]) => {
        impl Event for $name {
            const TYPE: &'static str = stringify!($name);
            const STREAM: Stream = Stream { name: $stream, groups: &[$(groups::$group),*] };

            fn order_id(&self) -> Option<OrderId> {
                Some(self.order_id)
            }
        }
    };
}

/// Units of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The product.
    pub product_id: ProductId,
    /// Units, at least 1.
    pub quantity: i32,
}

/// A product of which too little was free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    /// The product.
    pub product_id: ProductId,
    /// Units asked for.
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

/// An order was received. product-service holds the stock, payment-service prepares a payment.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCreated {
    /// The order.
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The buyer.
    #[serde_as(as = "DisplayFromStr")]
    pub user_id: UserId,
    /// What it costs, in rupiah.
    #[serde_as(as = "DisplayFromStr")]
    pub total_amount: i64,
    /// What is bought.
    #[serde_as(as = "JsonString")]
    pub items: Vec<Item>,
    /// When the order was received.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}
event!(OrderCreated, "stream:orders:created", [PRODUCT, PAYMENT]);

/// The whole order is held.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReserved {
    /// The order.
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
}
event!(StockReserved, "stream:stock:reserved", [ORDER]);

/// Why an order could not be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InsufficientReason {
    /// Too few free units.
    Insufficient,
    /// A product was taken off sale.
    ProductGone,
}

/// Nothing of the order is held, since something of it is missing.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockInsufficient {
    /// The order.
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// Why.
    pub reason: InsufficientReason,
    /// What is missing.
    #[serde_as(as = "JsonString")]
    pub items: Vec<Shortage>,
}
event!(StockInsufficient, "stream:stock:insufficient", [ORDER]);

/// Midtrans confirmed the payment.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSuccess {
    /// The order.
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// What was paid for the order, in rupiah.
    #[serde_as(as = "DisplayFromStr")]
    pub amount: i64,
    /// How it was paid, in Midtrans' words (`credit_card`, `qris`, ..).
    pub payment_type: String,
    /// When it was paid.
    #[serde(with = "time::serde::rfc3339")]
    pub paid_at: OffsetDateTime,
}
event!(PaymentSuccess, "stream:payment:success", [ORDER]);

/// Why a payment ended without money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentFailure {
    /// Its time ran out.
    Expired,
    /// The bank or the fraud check refused it for good.
    Denied,
    /// It was cancelled, by the customer or by us.
    Cancelled,
    /// Midtrans refused to make the payment page.
    NotCreated,
}

/// The payment has ended without money.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFailed {
    /// The order.
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// Why.
    pub reason: PaymentFailure,
}
event!(PaymentFailed, "stream:payment:failed", [ORDER]);

/// Why money went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum RefundCause {
    /// The goods could not be delivered.
    DeliveryFailed,
    /// It was paid after the order had ended.
    Late,
    /// An administrator decided so.
    Admin,
    /// The paid order was cancelled.
    Cancelled,
}

/// Money went back to the customer: once per refund.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefunded {
    /// The order.
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// Why.
    pub cause: RefundCause,
    /// This refund, in rupiah; 0 if everything had gone back before the goods turned out not to be deliverable.
    #[serde_as(as = "DisplayFromStr")]
    pub amount: i64,
    /// All refunds of the order so far, this one included, in rupiah.
    #[serde_as(as = "DisplayFromStr")]
    pub refunded_total: i64,
    /// Whether nothing of the payment is left.
    #[serde_as(as = "DisplayFromStr")]
    pub full: bool,
}
event!(PaymentRefunded, "stream:payment:refunded", [ORDER]);

/// How a payment was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReversalKind {
    /// The cardholder disputed it.
    Chargeback,
    /// The bank took a settlement back.
    DeniedAfterSettlement,
}

/// Money that we had is gone without our doing.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentReversed {
    /// The order.
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// How.
    pub kind: ReversalKind,
    /// How much, in rupiah.
    #[serde_as(as = "DisplayFromStr")]
    pub amount: i64,
}
event!(PaymentReversed, "stream:payment:reversed", [ORDER]);

/// An order is paid. cart-service takes out what was bought, delivery-service starts, product-service books the sale.
#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPaid {
    /// The order.
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The buyer.
    #[serde_as(as = "DisplayFromStr")]
    pub user_id: UserId,
    /// What it cost, in rupiah.
    #[serde_as(as = "DisplayFromStr")]
    pub total_amount: i64,
    /// What was bought.
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
event!(OrderPaid, "stream:orders:paid", [CART, DELIVERY, PRODUCT]);

/// Why an order ended FAILED or CANCELLED.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum CancelCause {
    /// Its buyer cancelled it.
    Customer,
    /// An administrator cancelled it.
    Admin,
    /// Something of it was missing.
    Stock,
    /// Its payment ended without money.
    Payment,
    /// It stayed unanswered for too long.
    Timeout,
}

/// An order ended FAILED or CANCELLED. product-service gives its hold back, payment-service closes or refunds.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCancelled {
    /// The order.
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The buyer.
    #[serde_as(as = "DisplayFromStr")]
    pub user_id: UserId,
    /// What it contained.
    #[serde_as(as = "JsonString")]
    pub items: Vec<Item>,
    /// Why.
    pub cause: CancelCause,
}
event!(OrderCancelled, "stream:orders:cancelled", [PRODUCT, PAYMENT]);

/// The goods have left.
#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryShipped {
    /// The order.
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The delivery.
    #[serde_as(as = "DisplayFromStr")]
    pub delivery_id: DeliveryId,
    /// The carrier's number.
    pub tracking_number: Option<String>,
}
event!(DeliveryShipped, "stream:delivery:shipped", [ORDER]);

/// The goods have arrived.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverySuccess {
    /// The order.
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The delivery.
    #[serde_as(as = "DisplayFromStr")]
    pub delivery_id: DeliveryId,
}
event!(DeliverySuccess, "stream:delivery:delivered", [ORDER]);

/// The goods could not be delivered and come back. order-service returns them to the stock, payment-service refunds.
#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryFailed {
    /// The order.
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The delivery.
    #[serde_as(as = "DisplayFromStr")]
    pub delivery_id: DeliveryId,
    /// What the courier said.
    pub note: Option<String>,
}
event!(DeliveryFailed, "stream:delivery:failed", [ORDER, PAYMENT]);

/// A session ended: its access tokens are refused from now on. Read by every process, without a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnded {
    /// The session, as the token's `sid` names it.
    pub sid: String,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
}

impl Event for SessionEnded {
    const TYPE: &'static str = "SessionEnded";
    const STREAM: Stream = Stream { name: "stream:sessions:ended", groups: &[] };

    fn order_id(&self) -> Option<OrderId> {
        None
    }
}
