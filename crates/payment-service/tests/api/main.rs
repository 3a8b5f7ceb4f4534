//! payment-service from the outside: over HTTP, over gRPC, by events, and through a Midtrans.
//!
//! Midtrans is the project's own sandbox, in this process: real pages, real signed notifications, real faults. What it
//! would never do is played by `scripted.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod background;
mod cancel;
mod events;
mod link;
mod manual;
mod midtrans_failures;
mod outcomes;
mod polls;
mod refund_route;
mod refunds;
mod review;
mod scripted;
mod shop;
mod transaction_only;
mod view;
mod watching;
mod webhook;
