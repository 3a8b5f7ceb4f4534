//! Events between services, with Postgres as the truth and Redis Streams as the carrier.
//!
//! - [`outbox`]: a change and its event are one commit.
//! - [`Relay`]: carries committed events to their streams, and sends again what Redis forgot.
//! - [`Consumer`]: at-least-once delivery, effects once, for services that keep their state in Postgres.
//! - [`GroupProgress`]: whether an event was read, before it is published again.
//! - [`runner`]: the Redis side alone, for a service that keeps its state elsewhere.
//!
//! What the parts promise, and to whom, is in the crate's README.

mod connection;
pub mod consumer;
mod error;
pub mod outbox;
pub mod relay;
pub mod runner;
mod start;
mod unread;

pub use consumer::{Consumer, Delivered, Handle, PreparedBatch, Received};
pub use contracts::events::{Envelope, Event, Fields, Meta, Stream};
pub use error::{Error, HandlerError, Outcomes};
pub use outbox::Outbox;
pub use relay::Relay;

pub use runner::{DeadLetter, Incoming, Policy, Runner, StreamHandler};
pub use start::{start, start_relay};
pub use unread::GroupProgress;
