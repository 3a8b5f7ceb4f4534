//! The messaging crate.
