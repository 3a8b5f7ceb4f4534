//! A message to a customer over one channel.

use std::fmt;

use contracts::{
    NotificationId, OrderId, UserId,
    events::{CancelCause, RefundCause},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{AccountMail, Kind, Language, What};

/// How a customer is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(example = "email")]
pub enum Channel {
    /// To the account's address.
    Email,
    /// Posted to the adapter that the shop has set, for SMS and anything else.
    Webhook,
}

impl Channel {
    /// As in JSON and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }
}

/// Where a notification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(example = "SENT")]
pub enum State {
    /// To be sent, now or again.
    Pending,
    /// The server has taken it.
    Sent,
    /// Not sent, because the customer does without it, it came too late, or there is nobody to send it to.
    Suppressed,
    /// The server refused it for good.
    Bounced,
    /// Given up after days: a person has to see to it.
    Dead,
}

impl State {
    /// As in JSON and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Sent => "SENT",
            Self::Suppressed => "SUPPRESSED",
            Self::Bounced => "BOUNCED",
            Self::Dead => "DEAD",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the text of a notification may say beside the order's number. Amounts are whole rupiah.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// What the order costs, or what went back now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// Units that were ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_cause: Option<CancelCause>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_cause: Option<RefundCause>,
    /// All that went back of the order so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refunded_total: Option<i64>,
    /// Whether that is everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fully_refunded: Option<bool>,
}

/// A notification that is to be written, for every channel.
#[derive(Debug, Clone)]
pub struct NewNotification {
    /// The event that gives reason to it.
    pub event_id: Uuid,
    pub what: What,
}

/// A notification as sending it needs.
#[derive(Debug, Clone)]
pub struct Notification {
    pub id: NotificationId,
    pub event_id: Uuid,
    pub kind: Kind,
    pub channel: Channel,
    pub order_id: OrderId,
    pub user_id: UserId,
    pub details: Details,
    pub created_at: OffsetDateTime,
}

impl Notification {
    /// What a receiver knows it by, the same whenever it is sent again: unique in the world, because event ids are.
    pub fn message_id(&self) -> String {
        format!("{}.{}", self.id, self.event_id)
    }
}

/// How a customer is reached, for one message. Neither kept nor logged.
#[derive(Clone)]
pub struct Contact {
    pub name: String,
    pub email: String,
    pub phone: Option<String>,
}

/// A message in the customer's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub language: Language,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// A message on its way to an address, for one attempt.
pub struct Mail<'a> {
    /// What a receiver knows it by, the same whenever it is sent again.
    pub id: String,
    pub created_at: OffsetDateTime,
    pub name: &'a str,
    pub email: &'a str,
    pub message: &'a Message,
}

impl<'a> Mail<'a> {
    /// One about an order.
    pub fn of_order(notification: &Notification, contact: &'a Contact, message: &'a Message) -> Self {
        let (id, created_at) = (notification.message_id(), notification.created_at);
        Self { id, created_at, name: &contact.name, email: &contact.email, message }
    }

    /// One about an account.
    pub fn of_account(mail: &'a AccountMail, message: &'a Message) -> Self {
        let (id, created_at) = (mail.id.to_string(), mail.requested_at);
        Self { id, created_at, name: &mail.name, email: &mail.email, message }
    }
}
