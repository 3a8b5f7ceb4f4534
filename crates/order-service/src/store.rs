//! All SQL of this service, a file per concern.

pub mod buyers;
pub mod cancellations;
pub mod history;
pub mod idempotency;
pub mod moves;
pub mod orders;
pub mod reconciliation;
pub mod returns;
