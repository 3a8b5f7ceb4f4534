//! order-service from outside: its routes, the events it consumes and its jobs.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod background;
mod bad_input;
mod cancelling;
mod idempotency;
mod money_back;
mod placing;
mod reading;
mod reconciliation;
mod returns;
mod saga;
mod shop;
mod verified;
mod world;
