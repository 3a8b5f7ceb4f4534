//! The cart-service crate.
