//! The use cases, one file each. Only here are transactions opened and committed.

mod advance_delivery;
mod cancel_delivery;
mod list_deliveries;

pub use self::{
    advance_delivery::{Advance, AdvanceDeliveryError, advance_delivery},
    cancel_delivery::{CancelDeliveryError, CancelOutcome, cancel_delivery},
    list_deliveries::{Deliveries, list_deliveries},
};
