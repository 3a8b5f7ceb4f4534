//! How a service of this workspace runs, whatever it does: configuration, logs, HTTP and gRPC with their errors,
//! who is asking, health, and an orderly end.
//!
//! A service implements [`Service`] and its `main` calls [`run`]. Start reading at [`service`], then [`http`].

pub mod auth;
mod backoff;
pub mod broadcast;
pub mod codes;
pub mod config;
pub mod context;
pub mod database;
mod error;
pub mod extract;
pub mod failpoint;
pub mod group_commit;
pub mod grpc;
pub mod health;
pub mod http;
pub mod lifecycle;
pub mod limit;
pub mod loader;
pub mod problem;
pub mod rules;
pub mod service;
pub mod spans;
pub mod telemetry;

pub use auth::{Admin, BearerToken, Claims, Role, User};
pub use backoff::Backoff;
pub use codes::{Code, Codes, ErrorCode, Refuses};
pub use config::{Common, ConfigErrors, Configuration, Database, Grpc, RedisConfig};
pub use error::{BoxError, error_chain};
pub use extract::{IDEMPOTENCY_REPLAYED, IdempotencyKey, Json, OptionalJson, Path, Query};
pub use lifecycle::Lifecycle;
pub use problem::{FieldError, Problem};
pub use service::{Service, ServiceContext, run};
