//! Everything that crosses a process boundary, and nothing else: ids, money, country codes, events with their streams and
//! groups, and the gRPC interfaces generated from `proto/`. No IO, no queries, no rules.
//!
//! Changes here are additive: an older process must still read what a newer one writes. `tests/` holds a snapshot of
//! every event for that reason.

pub mod catalogue;
pub mod country;
pub mod events;
pub mod grpc;
pub mod ids;
pub mod money;
pub mod tables;

pub use ids::{AddressId, CategoryId, DeliveryId, NotificationId, OrderId, ProductId, SessionId, UserId};
