//! Starts cart-service.
fn main() {}
