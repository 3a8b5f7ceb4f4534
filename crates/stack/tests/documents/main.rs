//! The API documents: that they are those of the programs, that they say everything, and that their examples are true.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod committed;
mod complete;
mod examples;
mod refusals;
mod security;
mod story;
mod support;
mod words;
