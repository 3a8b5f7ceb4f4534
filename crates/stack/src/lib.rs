//! Runs the whole shop on one machine, for people (`stack up`, `stack demo`) and for the end-to-end tests.
#![allow(clippy::print_stdout, reason = "a command-line program talks on standard output")]

pub mod actors;
pub mod api;
pub mod backup;
pub mod bench;
pub mod chaos;
pub mod databases;
pub mod dead_letters;
pub mod demo;
pub mod doctor;
pub mod hosts;
pub mod ledger;
pub mod measure;
pub mod replay;
pub mod root;
pub mod settings;
pub mod shop;
pub mod signals;
pub mod up;
pub mod with_shop;

pub use dev_servers::{Error, Result};
