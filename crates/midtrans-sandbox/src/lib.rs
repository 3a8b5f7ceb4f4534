//! The midtrans-sandbox crate.
