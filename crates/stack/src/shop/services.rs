//! The processes of the shop and their variables.

use serde::Serialize;

use super::{End, Ports, Routes};
use crate::settings::Settings;
use crate::{Error, Result};

/// A program of the shop that runs as a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Accounts, logins, sessions and address books.
    User,
    /// The catalogue, and the stock.
    Product,
    /// Carts, which are kept in Redis alone.
    Cart,
    /// Orders from the request to the end.
    Order,
    /// Payments, refunds, and all calls to Midtrans.
    Payment,
    /// Deliveries, from the paid order to the buyer.
    Delivery,
    /// What customers are sent; the shop does without it.
    Notification,
    /// The local Midtrans, instead of the real one.
    Sandbox,
    /// The mail server that delivers nothing.
    Mailbox,
}

impl Service {
    /// The six services, without which there is no shop.
    pub const SIX: [Self; 6] =
        [Self::User, Self::Product, Self::Cart, Self::Order, Self::Payment, Self::Delivery];
    /// All services: the six, and the one that nothing waits for.
    pub const SERVICES: [Self; 7] = [
        Self::User,
        Self::Product,
        Self::Cart,
        Self::Order,
        Self::Payment,
        Self::Delivery,
        Self::Notification,
    ];
    /// All programs of the project that run.
    pub const ALL: [Self; 9] = [
        Self::User,
        Self::Product,
        Self::Cart,
        Self::Order,
        Self::Payment,
        Self::Delivery,
        Self::Notification,
        Self::Sandbox,
        Self::Mailbox,
    ];

    /// The name of its program, and of its process.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user-service",
            Self::Product => "product-service",
            Self::Cart => "cart-service",
            Self::Order => "order-service",
            Self::Payment => "payment-service",
            Self::Delivery => "delivery-service",
            Self::Notification => "notification-service",
            Self::Sandbox => "midtrans-sandbox",
            Self::Mailbox => "mailbox",
        }
    }

    /// The service of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|service| service.name() == name);
        found.ok_or_else(|| Error::other(format!("there is no service {name:?}")))
    }

    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Product => "PRODUCT",
            Self::Cart => "CART",
            Self::Order => "ORDER",
            Self::Payment => "PAYMENT",
            Self::Delivery => "DELIVERY",
            Self::Notification => "NOTIFICATION",
            Self::Sandbox => "SANDBOX",
            Self::Mailbox => "MAILBOX",
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
            Self::Notification => Some("NOTIFICATION_DB_NAME"),
            Self::Cart | Self::Sandbox | Self::Mailbox => None,
        }
    }

    pub(super) fn answers_grpc(self) -> bool {
        matches!(self, Self::User | Self::Product | Self::Cart | Self::Payment | Self::Delivery)
    }

    /// Whether the shop sells as before while it is away.
    pub fn is_optional(self) -> bool {
        matches!(self, Self::Notification | Self::Mailbox)
    }
}

/// Whether the mailbox runs: it ends by itself where it is not wanted.
pub(super) fn has_mailbox(settings: &Settings) -> bool {
    settings.get("APP_ENV") == "development" && settings.get("MAILBOX") == "on"
}

/// The variables of one service.
pub(super) fn environment(
    service: Service,
    settings: &Settings,
    ports: &Ports,
    routes: &Routes,
) -> Vec<(String, String)> {
    let reached = |end| routes.port(End::Service(service), end).unwrap_or_else(|| ports.of(end));
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
    set("DB_PORT", reached(End::Postgres).to_string());
    set("REDIS_HOST", "127.0.0.1".into());
    set("REDIS_PORT", reached(End::Redis).to_string());
    for peer in Service::SIX {
        set(&format!("{}_URL", peer.prefix()), format!("http://127.0.0.1:{}", ports.http(peer)));
        if peer.answers_grpc() {
            set(
                &format!("{}_GRPC_URL", peer.prefix()),
                format!("http://127.0.0.1:{}", reached(End::Service(peer))),
            );
        }
    }
    let public = settings.get("PUBLIC_URL");
    let public =
        if public.is_empty() { format!("http://localhost:{}", ports.gateway) } else { public.to_owned() };
    set("PUBLIC_URL", public);
    let midtrans = reached(End::Service(Service::Sandbox));
    set("MIDTRANS_LOCAL_URL", format!("http://127.0.0.1:{midtrans}/midtrans"));
    set("MAILBOX_SMTP_ADDR", format!("127.0.0.1:{}", ports.smtp()));
    if settings.get("SMTP_URL").is_empty() {
        set("SMTP_URL", format!("smtp://127.0.0.1:{}", ports.smtp()));
    }
    let webhook = format!("http://127.0.0.1:{}/api/v1/payment/webhook", ports.gateway);
    set("SANDBOX_NOTIFICATION_URL", webhook);
    env
}

/// What the gateway's template asks for.
pub(super) fn gateway_variables(
    settings: &Settings,
    ports: &Ports,
    routes: &Routes,
) -> Vec<(String, String)> {
    let reached =
        |service| routes.port(End::Gateway, End::Service(service)).unwrap_or_else(|| ports.http(service));
    let mut variables: Vec<(String, String)> = Service::ALL
        .map(|service| (format!("{}_UPSTREAM", service.prefix()), format!("127.0.0.1:{}", reached(service))))
        .into();
    let mut set = |name: &str, value: &str| variables.push((name.to_owned(), value.to_owned()));
    set("GATEWAY_BIND", settings.get("GATEWAY_BIND"));
    set("GATEWAY_PORT", &ports.gateway.to_string());
    set("MIDTRANS_ENVIRONMENT", settings.get("MIDTRANS_ENVIRONMENT"));
    set("MAILBOX", if has_mailbox(settings) { "on" } else { "off" });
    set("RATE_LIMIT", settings.get("RATE_LIMIT"));
    set("TRUSTED_PROXIES", settings.get("TRUSTED_PROXIES"));
    set("UPSTREAM_RESOLVE", "");
    set("RESOLVER", "127.0.0.1");
    variables
}
