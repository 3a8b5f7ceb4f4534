//! Configuration: groups of flags that are environment variables as well, flattened into each service's own struct.
//! Every fault is found at boot and all are reported at once.

mod parse;
mod values;

use std::{fmt, net::SocketAddr};

use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};

pub use parse::parse;
pub(crate) use values::{listed, network, origin};

/// The secrets that `.env.example` ships: good enough for a laptop, refused in production.
const EXAMPLE_MARK: [&str; 3] = ["change-me", "local-development", "shop-local-password"];
/// The shortest secret that production accepts, in characters.
const SECRET_LENGTH: usize = 32;

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
    fn check(&self, _faults: &mut Faults) {}
}

/// What is wrong with a configuration, all of it.
#[derive(Debug, Default)]
pub struct Faults(Vec<String>);

impl Faults {
    /// Adds a fault, in words that say which variable to change and how.
    pub fn add(&mut self, fault: impl Into<String>) {
        self.0.push(fault.into());
    }

    /// Adds a fault unless the condition holds.
    pub fn require(&mut self, holds: bool, fault: impl Into<String>) {
        if !holds {
            self.add(fault);
        }
    }

    /// Checks where a peer answers gRPC.
    pub fn check_grpc_url(&mut self, name: &str, url: &str) {
        let uri = url.parse::<axum::http::Uri>();
        self.require(
            uri.is_ok_and(|uri| uri.host().is_some() && uri.port_u16().is_some()),
            format!("{name} is not a base URL with a port, such as `http://localhost:9082`"),
        );
    }

    /// Checks a secret: never empty; in production neither short nor one that everybody knows.
    pub fn check_secret(&mut self, env: AppEnv, name: &str, secret: &SecretString) {
        let secret = secret.expose_secret();
        self.require(!secret.is_empty(), format!("{name} is empty: set it to a long random text"));
        if env == AppEnv::Production && !secret.is_empty() {
            self.require(
                secret.chars().count() >= SECRET_LENGTH,
                format!("{name} is shorter than {SECRET_LENGTH} characters: generate one with `openssl rand -hex 32`"),
            );
            self.require(
                !EXAMPLE_MARK.iter().any(|mark| secret.contains(mark)),
                format!("{name} is the example's value, which everybody knows: generate one with `openssl rand -hex 32`"),
            );
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} fault(s):", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl std::error::Error for Faults {}

/// Where the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AppEnv {
    /// Convenient: example secrets and demo data are welcome.
    Development,
    /// Strict: refuses to start on anything that everybody knows.
    Production,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// Coloured text, for people.
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

/// The settings of every service.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// `production` refuses example secrets and the local Midtrans, and makes no demo data unless told to.
    #[arg(long, env, value_enum, default_value = "development")]
    pub app_env: AppEnv,
    /// What is logged: a level, or tracing's filter syntax (`info,sqlx=debug`).
    #[arg(long, env, default_value = "info")]
    pub log_level: String,
    /// How it is logged.
    #[arg(long, env, value_enum, default_value = "json")]
    pub log_format: LogFormat,
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

impl Common {
    fn check(&self, faults: &mut Faults) {
        faults.check_secret(self.app_env, "JWT_SECRET", &self.jwt_secret);
        faults.check_secret(self.app_env, "INTERNAL_SECRET", &self.internal_secret);
        faults.require(
            self.log_level.parse::<tracing_subscriber::EnvFilter>().is_ok(),
            "LOG_LEVEL is not a level or filter: use for example `info`",
        );
        faults.require(
            self.public_url.parse::<axum::http::Uri>().is_ok_and(|uri| uri.authority().is_some())
                && !self.public_url.ends_with('/'),
            "PUBLIC_URL is not a base URL: use for example `https://shop.example`, without a slash at its end",
        );
        if let Some(endpoint) = &self.otel_exporter_otlp_endpoint {
            faults.require(
                endpoint.parse::<axum::http::Uri>().is_ok_and(|uri| uri.scheme().is_some()),
                "OTEL_EXPORTER_OTLP_ENDPOINT is not a URL: use for example `http://localhost:4317`",
            );
        }
        for text in listed(&self.cors_allowed_origins) {
            faults.require(
                origin(text).is_some(),
                format!(
                    "CORS_ALLOWED_ORIGINS has `{text}`, which is not an origin such as `https://shop.example`"
                ),
            );
        }
        for proxy in listed(&self.trusted_proxies) {
            faults.require(
                network(proxy).is_some(),
                format!("TRUSTED_PROXIES has `{proxy}`, which is neither an IP address nor a network such as `10.0.0.0/8`"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::Command;

    use super::*;

    #[derive(Debug, Clone, Args)]
    struct Config {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        database: Database,
    }

    impl Configuration for Config {
        fn common(&self) -> &Common {
            &self.common
        }

        fn database(&self) -> Option<(&Database, &str)> {
            Some((&self.database, "db"))
        }
    }

    fn read(arguments: &[&str]) -> Result<Config, String> {
        let command = Config::augment_args(Command::new("test"));
        let all = std::iter::once("test").chain(arguments.iter().copied());
        parse::<Config>(command, all.map(OsString::from).collect()).map_err(|faults| faults.to_string())
    }

    const GOOD: [&str; 6] = [
        "--http-addr=127.0.0.1:1",
        "--jwt-secret=0123456789abcdef0123456789abcdef",
        "--internal-secret=0123456789abcdef0123456789abcdef",
        "--db-host=localhost",
        "--db-user=shop",
        "--db-password=0123456789abcdef0123456789abcdef",
    ];

    #[test]
    fn a_whole_configuration_is_read() {
        assert_eq!(read(&GOOD).unwrap().database.db_port, 5432);
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let faults = read(&["--http-addr=x", "--db-port=99999", "--redis-port=-1"]).unwrap_err();
        for name in ["http-addr", "db-port", "redis-port", "JWT_SECRET", "DB_HOST", "DB_USER"] {
            assert!(faults.contains(name), "{name} is not in: {faults}");
        }
    }

    #[test]
    fn production_refuses_short_and_example_secrets() {
        let mut arguments = GOOD.to_vec();
        arguments.extend(["--app-env=production", "--redis-host=localhost"]);
        read(&arguments).unwrap();
        arguments[1] = "--jwt-secret=short";
        arguments[2] = "--internal-secret=local-development-internal-secret-change-me";
        let faults = read(&arguments).unwrap_err();
        assert!(
            faults.contains("JWT_SECRET is shorter") && faults.contains("INTERNAL_SECRET is the example")
        );
    }
}
