//! The shop as programs from outside meet it: a browser, and Midtrans' official clients. These have to be installed
//! first, so this runs only with the feature `outside`, by `make test-browser` and `make test-midtrans-clients`.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod browser;
mod clients;
mod harness;
