//! Configuration: groups of flags that are environment variables as well, flattened into each service's own struct.
//! Every fault is found at boot and all are reported at once.

mod common;
mod errors;
mod parse;
mod secrets;
mod values;

use std::{fmt, net::SocketAddr};

use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};

pub use errors::ConfigErrors;
pub use parse::parse;
pub(crate) use values::{listed, network, origin};

/// What a service's configuration struct offers to the chassis.
pub trait Configuration: Args + Clone + fmt::Debug + Send + Sync + 'static {
    /// The groups that every service has.
    fn common(&self) -> &Common;

    /// The gRPC group, for services that answer gRPC.
    fn grpc(&self) -> Option<&Grpc> {
        None
    }

    /// The database group and the database's name, for services that have one.
    fn database(&self) -> Option<(&Database, &str)> {
        None
    }

    /// Rules beyond the type of each value.
    fn check(&self, _errors: &mut ConfigErrors) {}
}

/// Where the process runs: production refuses weak secrets and has no defaults for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AppEnv {
    /// Convenient: example secrets and demo data are welcome.
    Development,
    /// Strict: refuses to start on anything that everybody knows.
    Production,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// One coloured line per event, for people at a terminal.
    Pretty,
}

/// Something that is done or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It is done.
    On,
    /// It is not done.
    Off,
}

/// The settings that every service has, whatever it does.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// `production` refuses weak and example secrets and the local Midtrans, and makes no demo data unless it is asked
    /// for. It is the default, so that a variable that is missing opens nothing.
    #[arg(long, env, value_enum, default_value = "production")]
    pub app_env: AppEnv,
    /// What is logged, and how.
    #[command(flatten)]
    pub logs: Logs,
    /// Where HTTP is answered.
    #[arg(long, env)]
    pub http_addr: SocketAddr,
    /// What the world calls this shop: in payment pages, callbacks and the OpenAPI documents.
    #[arg(long, env, default_value = "http://localhost:8080")]
    pub public_url: String,
    /// Origins of front ends that may call the API, separated by commas; `*` is not accepted. In development any
    /// `http://localhost` port may.
    #[arg(long, env, value_delimiter = ',', default_value = "")]
    pub cors_allowed_origins: Vec<String>,
    /// Proxies in front of the gateway whose X-Forwarded-For entries count: addresses, or networks such as
    /// `10.0.0.0/8`, separated by commas.
    #[arg(long, env, value_delimiter = ',', default_value = "")]
    pub trusted_proxies: Vec<String>,
    /// Whether requests are limited per account and per network. `off` is for load tests.
    #[arg(long, env, value_enum, ignore_case = true, default_value = "on")]
    pub rate_limit: Switch,
    /// Signs and verifies access tokens (HS256).
    #[arg(long, env, hide_env_values = true)]
    pub jwt_secret: SecretString,
    /// What services show one another on gRPC.
    #[arg(long, env, hide_env_values = true)]
    pub internal_secret: SecretString,
    /// Verifies access tokens as well, but signs none: the former `JWT_SECRET`, for 15 minutes after it was replaced.
    #[arg(long, env, hide_env_values = true)]
    pub jwt_secret_previous: Option<SecretString>,
    /// Accepted from other services as well, but never sent: the other `INTERNAL_SECRET`, while it is being replaced.
    #[arg(long, env, hide_env_values = true)]
    pub internal_secret_previous: Option<SecretString>,
    /// A collector of traces (OTLP over gRPC), such as `http://localhost:4317`; none if it is not set.
    #[arg(long, env)]
    pub otel_exporter_otlp_endpoint: Option<String>,
    /// Redis: carts and counters on DB 0, streams on DB 1.
    #[command(flatten)]
    pub redis: RedisConfig,
    /// The other services, for `/health/shop`.
    #[command(flatten)]
    pub peers: Peers,
}

/// What a process logs, and how.
#[derive(Debug, Clone, Args)]
pub struct Logs {
    /// What is logged: a level, or tracing's filter syntax (`info,sqlx=debug`).
    #[arg(long, env, default_value = "info")]
    pub log_level: String,
    /// How it is logged.
    #[arg(long, env, value_enum, default_value = "json")]
    pub log_format: LogFormat,
}

/// Where gRPC is answered.
#[derive(Debug, Clone, Args)]
pub struct Grpc {
    /// Where gRPC is answered.
    #[arg(long, env)]
    pub grpc_addr: SocketAddr,
}

/// How Redis is reached.
#[derive(Debug, Clone, Args)]
pub struct RedisConfig {
    /// Redis' host name.
    #[arg(long, env, default_value = "redis")]
    pub redis_host: String,
    /// Redis' port.
    #[arg(long, env, default_value_t = 6379)]
    pub redis_port: u16,
    /// Redis' password; empty for none.
    #[arg(long, env, hide_env_values = true, default_value = "")]
    pub redis_password: SecretString,
}

/// How PostgreSQL is reached.
#[derive(Debug, Clone, Args)]
pub struct Database {
    /// PostgreSQL's host name.
    #[arg(long, env)]
    pub db_host: String,
    /// PostgreSQL's port.
    #[arg(long, env, default_value_t = 5432)]
    pub db_port: u16,
    /// The role to log in as.
    #[arg(long, env)]
    pub db_user: String,
    /// The role's password.
    #[arg(long, env, hide_env_values = true)]
    pub db_password: SecretString,
    /// Connections that the pool may open.
    #[arg(long, env, default_value_t = 10)]
    pub db_max_connections: u32,
}

macro_rules! peers {
    ($($field:ident $name:literal $url:literal),*) => {
        /// Base URLs of the six services.
        #[derive(Debug, Clone, Args)]
        pub struct Peers {
            $(
                #[doc = concat!("HTTP base URL of ", $name, ".")]
                #[arg(long, env, default_value = $url, help = concat!("HTTP base URL of ", $name))]
                pub $field: String,
            )*
        }

        impl Peers {
            /// Each service with its base URL.
            pub fn all(&self) -> Vec<(&'static str, &str)> {
                vec![$(($name, self.$field.as_str())),*]
            }
        }
    };
}
peers!(
    user_url "user-service" "http://user-service:8081",
    product_url "product-service" "http://product-service:8082",
    cart_url "cart-service" "http://cart-service:8083",
    order_url "order-service" "http://order-service:8084",
    payment_url "payment-service" "http://payment-service:8085",
    delivery_url "delivery-service" "http://delivery-service:8086"
);

impl RedisConfig {
    /// A client of one of Redis' databases. It connects at its first use.
    ///
    /// # Errors
    /// If the address is malformed.
    pub fn client(&self, db: i64) -> redis::RedisResult<redis::Client> {
        use redis::IntoConnectionInfo;
        let mut settings = redis::RedisConnectionInfo::default().set_db(db);
        if !self.redis_password.expose_secret().is_empty() {
            settings = settings.set_password(self.redis_password.expose_secret());
        }
        let address = (self.redis_host.as_str(), self.redis_port).into_connection_info()?;
        redis::Client::open(address.set_redis_settings(settings))
    }
}

#[cfg(test)]
mod tests;
