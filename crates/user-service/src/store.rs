//! Everything that is read from and written to PostgreSQL, and in [`counters`] to Redis. No rules, no transactions.

pub mod account_mails;
pub mod accounts;
pub mod addresses;
pub mod counters;
pub mod directory;
pub mod emails;
pub mod sessions;
