//! What a delivery is, and how it may change. Pure: no IO.

mod status;

use contracts::{DeliveryId, OrderId, UserId, events::ShippingAddress};
use serde::Deserialize;
use time::OffsetDateTime;

pub use status::{Effect, IllegalChange, Input, Status, Transition};

/// The goods of a paid order on their way to its buyer.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: DeliveryId,
    /// Unique: an order has one delivery.
    pub order_id: OrderId,
    pub user_id: UserId,
    pub status: Status,
    /// The carrier's number, once known.
    pub tracking_number: Option<String>,
    /// Where it goes, if the buyer said.
    pub shipping_address: Option<ShippingAddress>,
    /// When the order was found paid.
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    /// The states it was in, oldest first.
    pub history: Vec<Change>,
}

/// A change that was made to a delivery, or what was added while it stayed as it was.
#[derive(Debug, Clone, Deserialize)]
pub struct Change {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The present status again where only a number or a note was added.
    pub status: Status,
    pub note: Option<String>,
}
