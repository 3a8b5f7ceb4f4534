//! Starts order-service.
fn main() {}
