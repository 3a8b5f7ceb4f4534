//! Starts payment-service.
fn main() {}
