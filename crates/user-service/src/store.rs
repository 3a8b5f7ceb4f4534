//! Everything that is read from and written to PostgreSQL, and in [`failures`] to Redis. No rules, no transactions.

pub mod accounts;
pub mod addresses;
pub mod failures;
pub mod sessions;
