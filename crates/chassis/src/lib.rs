//! How a service of this workspace runs, whatever it does: configuration, logs, HTTP and gRPC with their errors,
//! who is asking, health, and an orderly end.
//!
//! A service implements [`Service`] and its `main` calls [`run`]. Start reading at [`service`], then [`http`].

pub mod auth;
pub mod config;
pub mod context;
pub mod database;
pub mod extract;
pub mod grpc;
pub mod health;
pub mod http;
pub mod jobs;
pub mod lifecycle;
pub mod limit;
pub mod problem;
pub mod rules;
pub mod service;
pub mod spans;
pub mod telemetry;

pub use auth::{Admin, Claims, Role, User};
pub use config::{Common, Configuration, Database, Faults, Grpc, RedisConfig};
pub use extract::{IDEMPOTENCY_REPLAYED, IdempotencyKey, Json, OptionalJson, Path, Query};
pub use lifecycle::Lifecycle;
pub use problem::{FieldError, Problem};
pub use service::{Kit, Service, run};

/// An error of any kind, for the places that can only report it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
