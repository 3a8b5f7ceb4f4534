//! The promises of the crate, one sentence each, against real Postgres and Redis servers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "tests play the part of the process that owns the tasks")]

mod batches;
mod claiming;
mod dead_letters;
mod handling;
mod losses;
mod publishing;
mod standby;
mod support;
mod trimming;
mod waiting;
