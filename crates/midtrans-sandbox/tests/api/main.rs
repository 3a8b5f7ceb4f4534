//! The sandbox over real HTTP, as merchants, customers and test scripts use it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may fail loudly, and owns the tasks and clients it starts"
)]

mod charge;
mod control;
mod core;
mod expiry;
mod merchant;
mod page;
mod pay;
mod refund;
mod restart;
mod sandbox;
mod snap;
mod transaction_only;
mod webhooks;
