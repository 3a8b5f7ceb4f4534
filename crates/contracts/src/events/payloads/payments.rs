//! What payment-service publishes about the payment of an order.

use serde::{Deserialize, Serialize};
use serde_with::{DisplayFromStr, serde_as, skip_serializing_none};
use time::OffsetDateTime;

use super::event;
use crate::{OrderId, UserId};

/// Midtrans confirmed the payment, in the amount asked for or in one that an administrator accepted.
#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSuccess {
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The buyer, which distinguishes an order from another that had its number. Older events have none.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// What the order costs, in rupiah. Older events do not have it.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub total_amount: Option<i64>,
    /// What was paid for the order, in rupiah.
    #[serde_as(as = "DisplayFromStr")]
    pub amount: i64,
    /// How it was paid, in Midtrans' words (`credit_card`, `qris`, ..).
    pub payment_type: String,
    #[serde(with = "time::serde::rfc3339")]
    pub paid_at: OffsetDateTime,
}
event!(PaymentSuccess, "stream:payment:success", [ORDER], total_amount);

/// Why a payment ended without money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentFailure {
    /// Its time ran out before anybody paid.
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
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFailed {
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The buyer, which distinguishes an order from another that had its number. Older events have none.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// What the order costs, in rupiah. Older events do not have it.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub total_amount: Option<i64>,
    pub reason: PaymentFailure,
}
event!(PaymentFailed, "stream:payment:failed", [ORDER], total_amount);

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
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefunded {
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The buyer, which distinguishes an order from another that had its number. Older events have none.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// What the order costs, in rupiah. Older events do not have it.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub total_amount: Option<i64>,
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
event!(PaymentRefunded, "stream:payment:refunded", [ORDER], total_amount);

/// How a payment was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReversalKind {
    /// The cardholder disputed the payment at the bank.
    Chargeback,
    /// The bank took a settlement back.
    DeniedAfterSettlement,
}

/// Money that we had is gone without our doing.
#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentReversed {
    #[serde_as(as = "DisplayFromStr")]
    pub order_id: OrderId,
    /// The buyer, which distinguishes an order from another that had its number. Older events have none.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// What the order costs, in rupiah. Older events do not have it.
    #[serde_as(as = "Option<DisplayFromStr>")]
    #[serde(default)]
    pub total_amount: Option<i64>,
    pub kind: ReversalKind,
    /// What was taken back, in whole rupiah.
    #[serde_as(as = "DisplayFromStr")]
    pub amount: i64,
}
event!(PaymentReversed, "stream:payment:reversed", [ORDER], total_amount);
