//! Starts user-service.
fn main() {}
