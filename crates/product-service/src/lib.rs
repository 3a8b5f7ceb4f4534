//! The product-service crate.
