//! The processes of the shop, their ports and their variables.

use crate::local::ports;
use crate::settings::Settings;
use crate::{Error, Result};

/// A program of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Accounts and logins.
    User,
    /// Catalogue and stock.
    Product,
    /// Carts.
    Cart,
    /// Orders.
    Order,
    /// Payments.
    Payment,
    /// Deliveries.
    Delivery,
    /// The local Midtrans.
    Sandbox,
}

impl Service {
    /// The six services.
    pub const SIX: [Self; 6] =
        [Self::User, Self::Product, Self::Cart, Self::Order, Self::Payment, Self::Delivery];
    /// All programs of the project that run.
    pub const ALL: [Self; 7] =
        [Self::User, Self::Product, Self::Cart, Self::Order, Self::Payment, Self::Delivery, Self::Sandbox];

    /// The name of its program.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user-service",
            Self::Product => "product-service",
            Self::Cart => "cart-service",
            Self::Order => "order-service",
            Self::Payment => "payment-service",
            Self::Delivery => "delivery-service",
            Self::Sandbox => "midtrans-sandbox",
        }
    }

    /// How its variables begin.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Product => "PRODUCT",
            Self::Cart => "CART",
            Self::Order => "ORDER",
            Self::Payment => "PAYMENT",
            Self::Delivery => "DELIVERY",
            Self::Sandbox => "SANDBOX",
        }
    }

    /// The variable with the name of its database, if it has one.
    pub fn database(self) -> Option<&'static str> {
        match self {
            Self::User => Some("USER_DB_NAME"),
            Self::Product => Some("PRODUCT_DB_NAME"),
            Self::Order => Some("ORDER_DB_NAME"),
            Self::Payment => Some("PAYMENT_DB_NAME"),
            Self::Delivery => Some("DELIVERY_DB_NAME"),
            Self::Cart | Self::Sandbox => None,
        }
    }

    fn answers_grpc(self) -> bool {
        matches!(self, Self::Product | Self::Cart | Self::Payment | Self::Delivery)
    }
}

/// Who listens where, all on 127.0.0.1.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The gateway.
    pub gateway: u16,
    /// `PostgreSQL`.
    pub postgres: u16,
    /// Redis.
    pub redis: u16,
    http: [u16; 7],
    grpc: [u16; 7],
}

impl Ports {
    /// The fixed ports of a laptop, and those that the settings choose.
    pub fn fixed(settings: &Settings) -> Result<Self> {
        Ok(Self {
            gateway: settings.port("GATEWAY_PORT")?,
            postgres: settings.port("STACK_POSTGRES_PORT")?,
            redis: settings.port("STACK_REDIS_PORT")?,
            http: [8081, 8082, 8083, 8084, 8085, 8086, 8090],
            grpc: [9081, 9082, 9083, 9084, 9085, 9086, 9090],
        })
    }

    /// Ports that are free now.
    pub fn free() -> Result<Self> {
        let (mut http, mut grpc) = ([0; 7], [0; 7]);
        for port in http.iter_mut().chain(&mut grpc) {
            *port = ports::free()?;
        }
        Ok(Self { gateway: ports::free()?, postgres: ports::free()?, redis: ports::free()?, http, grpc })
    }

    /// The same shop with one more process of this service, on ports that are free now.
    pub(super) fn with_replica(&self, service: Service) -> Result<Self> {
        let mut ports = self.clone();
        ports.http[service as usize] = ports::free()?;
        ports.grpc[service as usize] = ports::free()?;
        Ok(ports)
    }

    /// Where a service answers HTTP.
    pub fn http(&self, service: Service) -> u16 {
        self.http[service as usize]
    }

    /// Where a service answers gRPC, if it does.
    pub fn grpc(&self, service: Service) -> u16 {
        self.grpc[service as usize]
    }

    /// An error that names every port somebody else already listens on.
    pub fn check(&self) -> Result<()> {
        let own = [("the gateway", self.gateway), ("PostgreSQL", self.postgres), ("Redis", self.redis)];
        let http = Service::ALL.map(|service| (service.name(), self.http(service)));
        let grpc = Service::SIX.map(|service| (service.name(), self.grpc(service)));
        let all = own.into_iter().chain(http).chain(grpc.into_iter().filter(|(name, _)| answers(name)));
        let taken: Vec<String> = all
            .filter(|(_, port)| !ports::is_free(*port))
            .map(|(name, port)| format!("{port} ({name})"))
            .collect();
        if taken.is_empty() {
            return Ok(());
        }
        Err(Error::other(format!(
            "another program listens on port {}. `ss -ltnp` (as root) shows which one: stop it{}",
            taken.join(", "),
            ", or choose other ports with GATEWAY_PORT, STACK_POSTGRES_PORT or STACK_REDIS_PORT if it is one of those"
        )))
    }
}

fn answers(name: &str) -> bool {
    Service::ALL.into_iter().any(|service| service.name() == name && service.answers_grpc())
}

/// The variables of one service.
pub(super) fn environment(service: Service, settings: &Settings, ports: &Ports) -> Vec<(String, String)> {
    let mut env: Vec<(String, String)> = settings
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut set = |name: &str, value: String| env.push((name.to_owned(), value));
    set("HTTP_ADDR", format!("127.0.0.1:{}", ports.http(service)));
    if service.answers_grpc() {
        set("GRPC_ADDR", format!("127.0.0.1:{}", ports.grpc(service)));
    }
    set("DB_HOST", "127.0.0.1".into());
    set("DB_PORT", ports.postgres.to_string());
    set("REDIS_HOST", "127.0.0.1".into());
    set("REDIS_PORT", ports.redis.to_string());
    for peer in Service::SIX {
        set(&format!("{}_URL", peer.prefix()), format!("http://127.0.0.1:{}", ports.http(peer)));
        if peer.answers_grpc() {
            set(&format!("{}_GRPC_URL", peer.prefix()), format!("http://127.0.0.1:{}", ports.grpc(peer)));
        }
    }
    let public = settings.get("PUBLIC_URL");
    let public =
        if public.is_empty() { format!("http://localhost:{}", ports.gateway) } else { public.to_owned() };
    set("PUBLIC_URL", public);
    set("MIDTRANS_LOCAL_URL", format!("http://127.0.0.1:{}/midtrans", ports.http(Service::Sandbox)));
    let webhook = format!("http://127.0.0.1:{}/api/v1/payment/webhook", ports.gateway);
    set("SANDBOX_NOTIFICATION_URL", webhook);
    env
}

/// What the gateway's template asks for.
pub(super) fn gateway_variables(settings: &Settings, ports: &Ports) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = Service::ALL
        .map(|service| {
            (format!("{}_UPSTREAM", service.prefix()), format!("127.0.0.1:{}", ports.http(service)))
        })
        .into();
    let mut set = |name: &str, value: &str| variables.push((name.to_owned(), value.to_owned()));
    set("GATEWAY_BIND", settings.get("GATEWAY_BIND"));
    set("GATEWAY_PORT", &ports.gateway.to_string());
    set("MIDTRANS_ENVIRONMENT", settings.get("MIDTRANS_ENVIRONMENT"));
    set("RATE_LIMIT", settings.get("RATE_LIMIT"));
    set("TRUSTED_PROXIES", settings.get("TRUSTED_PROXIES"));
    set("UPSTREAM_RESOLVE", "");
    set("RESOLVER", "127.0.0.1");
    variables
}
