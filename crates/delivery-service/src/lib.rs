//! The delivery-service crate.
