//! Durable jobs: what a service has to do later, or again until it succeeds, as rows of one table in its own database.
//!
//! - [`Job`]: a kind of work. A job is enqueued in the transaction that makes it necessary, and is identified by its key:
//!   enqueueing it again moves it to a new time instead of doubling it.
//! - [`Queue`]: enqueues, and wakes the worker after a commit.
//! - [`Worker`]: one loop for all kinds of a service. It claims what is due with a lease, runs it within a deadline, and
//!   retries it with growing pauses.
//!
//! A job runs at least once. A process that is killed in the middle holds it up for [`LEASE`] at most; another replica
//! runs it then. Work that can fail for good ends as dead, and stays in the table for a person.

mod job;
mod queue;
mod store;
mod worker;

pub use chassis::Backoff;
pub use job::{DEADLINE, Due, Job, JobId, LEASE, Outcome, TimedOut, within_deadline};
pub use queue::Queue;
pub use worker::Worker;
