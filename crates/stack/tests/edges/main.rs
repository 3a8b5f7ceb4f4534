//! The edges of the shop as others meet them: gRPC between the services, and the collection of requests for people.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod collection;
mod grpc;
mod harness;
mod requests;
