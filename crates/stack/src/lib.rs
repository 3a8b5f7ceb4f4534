//! Runs the whole shop on one machine, for people (`stack up`, `stack demo`) and for the end-to-end tests.
#![allow(clippy::print_stdout, reason = "a command-line program talks on standard output")]

pub mod databases;
mod error;
pub mod local;
pub mod prepare;
pub mod root;
pub mod settings;
pub mod shop;
pub mod signals;

pub use error::{Error, Result};
