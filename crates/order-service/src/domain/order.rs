//! An order as its buyer sees it, and the request for one.

use chassis::rules::{all_different, country_code, country_schema, not_blank};
use contracts::{
    DeliveryId, OrderId, ProductId, UserId,
    events::{self, CancelCause, OrderCancelled, OrderCreated, OrderPaid, Subject},
};
use garde::Validate;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::Status;

/// The most products that can be named: as many as a cart has lines.
const MAX_PRODUCTS: usize = 100;

/// What a buyer wants to order. Left out, it is the whole cart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// Only these products of the cart.
    #[garde(inner(length(min = 1, max = MAX_PRODUCTS), custom(all_different)))]
    #[schema(min_items = 1, max_items = 100, value_type = Option<BTreeSet<ProductId>>)]
    pub product_ids: Option<Vec<ProductId>>,
    /// Where it goes; it may be left out.
    #[serde(default, deserialize_with = "chassis::extract::object")]
    #[garde(dive)]
    pub shipping_address: Option<ShippingAddress>,
    /// What the buyer believes it costs: if it costs something else, nothing is ordered.
    #[garde(range(min = 1, max = 9_000_000_000_000_000))]
    #[schema(minimum = 1, maximum = 9_000_000_000_000_000_i64, example = 250_000)]
    pub expected_total: Option<i64>,
}

/// Where an order goes, as the courier needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingAddress {
    /// The name of the person who receives it.
    #[garde(length(chars, min = 1, max = 200), custom(not_blank))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Ani Wijaya"
    )]
    pub recipient: String,
    /// The telephone number of the recipient.
    #[garde(length(chars, min = 1, max = 200), custom(not_blank))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "+62 811 1234 567"
    )]
    pub phone: String,
    /// Street and number.
    #[garde(length(chars, min = 1, max = 200), custom(not_blank))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Jl. Mawar 1"
    )]
    pub street: String,
    /// The city or town of the address.
    #[garde(length(chars, min = 1, max = 200), custom(not_blank))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Bandung"
    )]
    pub city: String,
    /// The province or state, where there is one.
    #[garde(length(chars, min = 1, max = 200), inner(custom(not_blank)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Jawa Barat"
    )]
    pub province: Option<String>,
    /// Postal code.
    #[garde(length(chars, min = 1, max = 200), custom(not_blank))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "40111"
    )]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2 code, in capitals.
    #[garde(custom(country_code))]
    #[schema(schema_with = country_schema)]
    pub country: String,
}

/// A line of an order. Name and price are those of the moment of ordering.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderItem)]
pub struct Item {
    /// The number of the line, among those of all orders.
    #[schema(minimum = 1, maximum = 9_223_372_036_854_775_807_i64, example = 12)]
    pub id: i64,
    /// The order that it is a line of.
    pub order_id: OrderId,
    /// The product that was ordered; it may have been taken off sale since.
    pub product_id: ProductId,
    /// What the product was called then.
    #[schema(min_length = 1, max_length = 200, example = "Kopi Gayo 250 g")]
    pub name: String,
    /// What one unit cost then, in whole rupiah.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, example = 125_000)]
    pub price: i64,
    /// How many units were ordered.
    #[schema(minimum = 1, maximum = 1000, example = 2)]
    pub quantity: i32,
}

/// An order with its lines, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// The number of the order.
    pub id: OrderId,
    /// The customer who placed it.
    pub user_id: UserId,
    /// Where it stands at this moment.
    pub status: Status,
    /// What it costs with all its lines, in whole rupiah.
    #[schema(minimum = 1, maximum = 9_000_000_000_000_000_i64, example = 250_000)]
    pub total_amount: i64,
    /// What was ordered, a line per product.
    #[schema(min_items = 1, max_items = 100)]
    pub items: Vec<Item>,
    /// Where it goes, if the buyer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub shipping_address: Option<ShippingAddress>,
    /// Where to pay, while it can be paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        format = "uri",
        max_length = 2048,
        example = "http://localhost:8080/midtrans/snap/v4/redirection/5e8a2f6c"
    )]
    pub payment_url: Option<String>,
    /// Until when it can be paid.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "2026-01-02T03:34:05Z")]
    pub payment_expires: Option<OffsetDateTime>,
    /// Its delivery, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delivery_id: Option<DeliveryId>,
    /// What went back to the buyer so far, in rupiah.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 9_000_000_000_000_000_i64, example = 50_000)]
    pub refunded_amount: Option<i64>,
    /// Why it ended FAILED, or the reason that was given when it was CANCELLED.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 255, example = "Ordered by mistake")]
    pub failure_reason: Option<String>,
    /// When the order was placed.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05.678901Z")]
    pub created_at: OffsetDateTime,
    /// When its state or its refunds last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05.678901Z")]
    pub updated_at: OffsetDateTime,
    /// When the cart was read, by cart-service's clock.
    #[serde(skip)]
    pub cart_read_at: Option<OffsetDateTime>,
}

/// What the buyer gets for an order that was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderReceipt)]
pub struct Receipt {
    /// A sentence for people.
    #[schema(max_length = 200, example = "Order received")]
    pub message: String,
    /// The number of the order that was placed.
    pub order_id: OrderId,
    /// The order as it was placed.
    pub order: Order,
}

impl From<Order> for Receipt {
    fn from(order: Order) -> Self {
        Self { message: "Order received".to_owned(), order_id: order.id, order }
    }
}

/// A row of an order's timeline: a change, or a note (`from` and `to` are the same).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OrderEvent)]
pub struct HistoryEntry {
    /// When it happened.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05.678901Z")]
    pub at: OffsetDateTime,
    /// The state before; null for the first row.
    #[schema(required)]
    pub from: Option<Status>,
    /// The state after it.
    pub to: Status,
    /// What caused it: an event of the shop, or what somebody did.
    #[schema(max_length = 64, example = "PaymentSuccess")]
    pub cause: String,
    /// More about the cause, in words for people.
    #[schema(required, max_length = 1000, example = "250000 by qris")]
    pub detail: Option<String>,
}

impl Order {
    /// Whether an event is about this order, and not about another one that had its number.
    pub fn is_of(&self, subject: &Subject) -> bool {
        subject.can_be(Some(self.user_id), Some(self.total_amount))
    }

    fn event_items(&self) -> Vec<events::Item> {
        let item = |item: &Item| events::Item { product_id: item.product_id, quantity: item.quantity };
        self.items.iter().map(item).collect()
    }

    /// Published when it was placed, and again when nobody answers.
    pub fn created_event(&self) -> OrderCreated {
        OrderCreated {
            order_id: self.id,
            user_id: self.user_id,
            total_amount: self.total_amount,
            items: self.event_items(),
            created_at: self.created_at,
        }
    }

    /// Published when it is paid, and again when no delivery is known.
    pub fn paid_event(&self) -> OrderPaid {
        OrderPaid {
            order_id: self.id,
            user_id: self.user_id,
            total_amount: self.total_amount,
            items: self.event_items(),
            ordered_at: self.created_at,
            cart_read_at: self.cart_read_at,
            shipping_address: self.shipping_address.clone().map(Into::into),
        }
    }

    /// Published when it ended FAILED or CANCELLED.
    pub fn cancelled_event(&self, cause: CancelCause) -> OrderCancelled {
        OrderCancelled {
            order_id: self.id,
            user_id: self.user_id,
            total_amount: Some(self.total_amount),
            items: self.event_items(),
            cause,
        }
    }
}

impl From<ShippingAddress> for events::ShippingAddress {
    fn from(address: ShippingAddress) -> Self {
        let ShippingAddress { recipient, phone, street, city, province, postal_code, country } = address;
        Self { recipient, phone, street, city, province, postal_code, country }
    }
}
