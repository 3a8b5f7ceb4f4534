//! Starts product-service.
fn main() {}
