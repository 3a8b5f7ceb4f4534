//! The shop from outside: all services, nginx, PostgreSQL, Redis and the local Midtrans as real processes, driven
//! through the gateway by customers who know nothing but the contract. Each test has a shop of its own.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backups;
mod chaos;
mod contract;
mod crashes;
mod crowd;
mod doctor;
mod floods;
mod gateway;
mod harness;
mod holes;
mod journeys;
mod ledger;
mod letters;
mod neighbours;
mod nights;
mod optional;
mod repeats;
mod siege;
mod supervision;
mod verified;
