//! notification-service from the outside: events and HTTP in, mails in a real mailbox out.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod account_mails;
mod listing;
mod mail_server;
mod mails;
mod once;
mod people;
mod preferences;
mod streams;
mod webhook;
mod world;

use world::{TestApp, created, paid};
