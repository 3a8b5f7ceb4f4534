//! Starts delivery-service.
fn main() {}
