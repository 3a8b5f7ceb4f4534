//! What product-service publishes about the goods of an order.

use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, json::JsonString, serde_as, skip_serializing_none};

use super::{Shortage, event};
use crate::{OrderId, UserId};

/// The whole order is held: every line, or the order is refused.
#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReserved {
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The buyer, which distinguishes an order from another that had its number. Older events have none.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub user_id: Option<UserId>,
}
event!(StockReserved, "stream:stock:reserved", [ORDER]);

/// Why an order could not be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InsufficientReason {
    /// Too few units of something are free.
    Insufficient,
    /// A product was taken off sale.
    ProductGone,
}

/// Nothing of the order is held, since something of it is missing.
#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockInsufficient {
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The buyer, which distinguishes an order from another that had its number. Older events have none.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub user_id: Option<UserId>,
    pub reason: InsufficientReason,
    #[serde_as(as = "JsonString")]
    pub items: Vec<Shortage>,
}
event!(StockInsufficient, "stream:stock:insufficient", [ORDER]);
