//! `PostgreSQL`, Redis and nginx for development and tests: private servers on this machine, each in a folder of its own,
//! stopped when they are dropped, and cleaned up after when their process was killed; and a proxy that damages the way to
//! one.

mod error;
pub mod folder;
pub mod identity;
mod nginx;
mod owner;
pub mod ports;
mod postgres;
mod process;
mod proxy;
mod redis;
pub mod tools;

pub use self::error::{Error, Result};
pub use self::nginx::{Nginx, NginxOptions};
pub use self::owner::Owner;
pub use self::postgres::{Postgres, PostgresOptions};
pub use self::process::{Process, Spec};
pub use self::proxy::{Damage, Proxy, Upstream};
pub use self::redis::{Redis, RedisOptions, url as redis_url};

use std::time::Duration;

/// How often a condition is looked at again.
pub const POLL: Duration = Duration::from_millis(20);
