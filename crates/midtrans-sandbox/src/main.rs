//! Starts midtrans-sandbox.
fn main() {}
