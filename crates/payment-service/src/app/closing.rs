//! Closing what must not be paid any more.

pub mod cancel_payment;
pub mod close_attempt;
pub mod end_orders;
pub mod void_attempt;
