//! The order-service crate.
