//! What this service does, a file per use case. Only here are transactions opened and committed.

pub mod advance_delivery;
pub mod cancel_delivery;
pub mod list_deliveries;
