//! What delivery-service publishes about a delivery.

use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, serde_as, skip_serializing_none};

use super::event;
use crate::{DeliveryId, OrderId, UserId};

/// The goods have left the warehouse, and are with the carrier.
#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryShipped {
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The buyer, which distinguishes an order from another that had its number. Older events have none.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub user_id: Option<UserId>,
    #[serde_as(as = "DisplayFromStr")]
    pub delivery_id: DeliveryId,
    pub tracking_number: Option<String>,
}
event!(DeliveryShipped, "stream:delivery:shipped", [ORDER]);

/// The goods have arrived at the buyer.
#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverySuccess {
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The buyer, which distinguishes an order from another that had its number. Older events have none.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub user_id: Option<UserId>,
    #[serde_as(as = "DisplayFromStr")]
    pub delivery_id: DeliveryId,
}
event!(DeliverySuccess, "stream:delivery:delivered", [ORDER]);

/// The goods could not be delivered and come back. order-service returns them to the stock, payment-service refunds.
#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryFailed {
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The buyer, which distinguishes an order from another that had its number. Older events have none.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub user_id: Option<UserId>,
    #[serde_as(as = "DisplayFromStr")]
    pub delivery_id: DeliveryId,
    pub note: Option<String>,
}
event!(DeliveryFailed, "stream:delivery:failed", [ORDER, PAYMENT]);
