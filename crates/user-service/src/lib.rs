//! The user-service crate.
