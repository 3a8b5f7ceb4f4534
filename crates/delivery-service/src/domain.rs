//! What a delivery is, and how it may change. Pure: no IO.

mod status;

use contracts::{DeliveryId, OrderId, UserId, events::ShippingAddress};
use serde::Deserialize;
use time::OffsetDateTime;

pub use status::{Cancellation, IllegalChange, Milestone, Status, Step};

/// The goods of a paid order on their way to its buyer.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The order; there is one delivery for each.
    pub order_id: OrderId,
    /// The buyer.
    pub user_id: UserId,
    /// Where it is.
    pub status: Status,
    /// The carrier's number, once known.
    pub tracking_number: Option<String>,
    /// Where it goes, if the buyer said.
    pub shipping_address: Option<ShippingAddress>,
    /// When the order was found paid.
    pub created_at: OffsetDateTime,
    /// When it last changed.
    pub updated_at: OffsetDateTime,
    /// What happened to it, in order.
    pub history: Vec<Change>,
}

/// A change that was made to a delivery, or what was added while it stayed as it was.
#[derive(Debug, Clone, Deserialize)]
pub struct Change {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What it became, or was.
    pub status: Status,
    /// What whoever changed it had to say.
    pub note: Option<String>,
}
