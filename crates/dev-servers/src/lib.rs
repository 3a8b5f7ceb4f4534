//! Private servers on this machine: PostgreSQL, Redis and nginx, each in a folder of its own.

pub mod folder;
pub mod identity;
mod nginx;
mod owner;
pub mod ports;
mod postgres;
mod process;
mod redis;
pub mod tools;

pub use self::nginx::{Nginx, NginxOptions};
pub use self::owner::Owner;
pub use self::postgres::{Postgres, PostgresOptions};
pub use self::process::{Process, Spec};
pub(crate) use self::redis::url as redis_url;
pub use self::redis::{Redis, RedisOptions};

use std::time::Duration;

/// How often a condition is looked at again.
pub(crate) const POLL: Duration = Duration::from_millis(20);
