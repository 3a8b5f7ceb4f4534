//! The payment-service crate.
