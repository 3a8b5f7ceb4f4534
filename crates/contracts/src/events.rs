//! The events of the shop: what they carry, the stream each travels on, and the consumer groups that must read it.
//!
//! An event is a flat map of strings on a Redis Stream: integers are decimal, lists and objects compact JSON. The
//! common members are in [`Meta`], the others in the event's own struct. Members are only ever added, as options.

mod payloads;

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

pub use payloads::*;

use crate::{OrderId, UserId};

/// The consumer group of each service that follows streams.
#[allow(missing_docs, reason = "each is named like the service that reads as it")]
pub mod groups {
    pub const ORDER: &str = "order-group";
    pub const PRODUCT: &str = "product-group";
    pub const PAYMENT: &str = "payment-group";
    pub const CART: &str = "cart-group";
    pub const DELIVERY: &str = "delivery-group";
    /// In no list of a stream, because nothing waits for it: notification-service need not run. Where it has run once, its
    /// group keeps what it has not read, as every group that exists does.
    pub const NOTIFICATION: &str = "notification-group";
}

/// A stream and the groups that must have read an entry before it may be trimmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// The Redis key, on DB 1.
    pub name: &'static str,
    /// Every group of the contract's table for this stream. Empty: read without a group, trimmed by age.
    pub groups: &'static [&'static str],
}

/// What an event type is on the wire.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The value of `type` on the wire, by which a consumer picks its handler.
    const TYPE: &'static str;
    /// The value of `version`; raised only for a change that an older consumer must not read.
    const VERSION: u32 = 1;
    /// The one stream that it is published to.
    const STREAM: Stream;

    /// The order it is about; `None` only for events that are about no order.
    fn subject(&self) -> Option<Subject>;
}

/// The order that an event is about: its number, and what distinguishes it from another order that had the same number, as after
/// a restore of order-service's database to an earlier state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// Its number, which is unique among the orders of one database.
    pub order_id: OrderId,
    /// Its buyer, if the event has one.
    pub user_id: Option<UserId>,
    /// What it costs in rupiah, if the event has it.
    pub total_amount: Option<i64>,
}

impl Subject {
    /// Whether it can be the order with this buyer and this price. What one side does not know contradicts nothing.
    pub fn can_be(&self, user_id: Option<UserId>, total_amount: Option<i64>) -> bool {
        agree(self.user_id, user_id) && agree(self.total_amount, total_amount)
    }
}

fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_none_or(|(one, other)| one == other)
}

/// The members that every event carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Identifies the event through every redelivery (UUIDv7).
    pub event_id: Uuid,
    /// When the change that it reports was made.
    pub occurred_at: OffsetDateTime,
    /// The correlation id of the request that caused it.
    pub correlation_id: String,
    /// W3C trace context of its cause.
    pub traceparent: String,
}

/// An event with its common members.
#[derive(Debug, Clone)]
pub struct Envelope<E> {
    /// What identifies it, and where it comes from.
    pub meta: Meta,
    /// What happened: the payload of its type.
    pub event: E,
}

/// The flat map of strings that an entry of a stream is.
pub type Fields = BTreeMap<String, String>;

/// Why an entry is not the event that was expected. Such an entry can never be handled.
#[derive(Debug, thiserror::Error)]
pub enum Undecodable {
    /// A member that every event has is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A common member does not parse.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// Another type, or a version this process does not know.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// The type and version that this reader expects.
        expected: String,
        /// The type and version of the entry.
        found: String,
    },
    /// The event's own members do not fit.
    #[error("{0}")]
    Payload(#[from] serde_json::Error),
}

impl<E: Event> Envelope<E> {
    /// The entry as it goes onto the stream.
    ///
    /// # Errors
    /// Only if the event's struct does not serialise to a flat map of strings, which the snapshot tests rule out.
    pub fn to_fields(&self) -> Result<Fields, serde_json::Error> {
        let mut fields: Fields = serde_json::from_value(serde_json::to_value(&self.event)?)?;
        let occurred_at = self.meta.occurred_at.format(&Rfc3339).map_err(serde::ser::Error::custom)?;
        let common = [
            ("event_id", self.meta.event_id.to_string()),
            ("type", E::TYPE.to_owned()),
            ("version", E::VERSION.to_string()),
            ("occurred_at", occurred_at),
            ("correlation_id", self.meta.correlation_id.clone()),
            ("traceparent", self.meta.traceparent.clone()),
        ];
        fields.extend(common.map(|(name, value)| (name.to_owned(), value)));
        Ok(fields)
    }

    /// Reads an entry of this event's stream. Members that this process does not know are passed over.
    ///
    /// # Errors
    /// If the entry is not an `E` of a known version.
    pub fn from_fields(fields: &Fields) -> Result<Self, Undecodable> {
        let found = format!("{} v{}", text(fields, "type")?, text(fields, "version")?);
        let expected = format!("{} v{}", E::TYPE, E::VERSION);
        if found != expected {
            return Err(Undecodable::Unexpected { expected, found });
        }
        let meta = Meta::from_fields(fields)?;
        let members = fields.iter().map(|(name, value)| (name.clone(), Value::String(value.clone())));
        let event = serde_json::from_value(Value::Object(members.collect()))?;
        Ok(Self { meta, event })
    }
}

impl Meta {
    /// The common members of an entry of any type.
    ///
    /// # Errors
    /// If the event id or the time is missing or malformed; tracing members may be absent.
    pub fn from_fields(fields: &Fields) -> Result<Self, Undecodable> {
        Ok(Self {
            event_id: text(fields, "event_id")?.parse().map_err(|_| Undecodable::Malformed("event_id"))?,
            occurred_at: OffsetDateTime::parse(text(fields, "occurred_at")?, &Rfc3339)
                .map_err(|_| Undecodable::Malformed("occurred_at"))?,
            correlation_id: fields.get("correlation_id").cloned().unwrap_or_default(),
            traceparent: fields.get("traceparent").cloned().unwrap_or_default(),
        })
    }
}

fn text<'a>(fields: &'a Fields, name: &'static str) -> Result<&'a str, Undecodable> {
    fields.get(name).map(String::as_str).ok_or(Undecodable::Missing(name))
}
