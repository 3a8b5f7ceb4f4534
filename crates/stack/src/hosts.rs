//! Where the shop's servers are found: on this machine, or inside docker compose.

use crate::settings::Settings;
use crate::shop::{Ports, Service};
use crate::{Error, Result};
use dev_servers::redis_url;

/// A way to reach every server of a running shop.
#[derive(Debug)]
pub enum Hosts {
    /// On this machine, as `stack up` runs it.
    Local(Ports),
    /// What docker compose runs, seen from one of its own containers.
    Compose,
}

impl Hosts {
    /// What `STACK_HOSTS` says; an error if it is neither.
    pub fn of_settings(settings: &Settings) -> Result<Self> {
        match settings.get("STACK_HOSTS") {
            "local" => Ports::of_settings(settings).map(Self::Local),
            "compose" => Ok(Self::Compose),
            other => Err(Error::other(format!("STACK_HOSTS must be local or compose, not {other:?}"))),
        }
    }

    /// The base URL of the gateway.
    pub fn gateway(&self) -> String {
        match self {
            Self::Local(ports) => format!("http://localhost:{}", ports.gateway),
            Self::Compose => "http://gateway:8080".to_owned(),
        }
    }

    /// A service's base URL, past the gateway.
    pub fn service(&self, service: Service) -> Result<String> {
        match self {
            Self::Local(ports) => Ok(format!("http://127.0.0.1:{}", ports.http(service))),
            Self::Compose => {
                let port = Ports::of_settings(&Settings::default())?.http(service);
                Ok(format!("http://{}:{port}", service.name()))
            }
        }
    }

    /// The address of a service's database, if it has one.
    pub fn database(&self, service: Service, settings: &Settings) -> Option<String> {
        let name = settings.get(service.database()?);
        let server = match self {
            Self::Local(ports) => format!("127.0.0.1:{}", ports.postgres),
            Self::Compose => format!("{}-db:5432", service.name().trim_end_matches("-service")),
        };
        let mut url = reqwest::Url::parse(&format!("postgres://{server}/{name}")).ok()?;
        url.set_username(settings.get("DB_USER")).ok()?;
        url.set_password(Some(settings.get("DB_PASSWORD"))).ok()?;
        Some(url.into())
    }

    /// The address of one of Redis' numbered databases.
    pub fn redis(&self, database: u8, settings: &Settings) -> String {
        let password = Some(settings.get("REDIS_PASSWORD")).filter(|password| !password.is_empty());
        match self {
            Self::Local(ports) => redis_url("127.0.0.1", ports.redis, password, database),
            Self::Compose => redis_url("redis", 6379, password, database),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_compose_every_server_has_a_name() {
        let settings = Settings::default().with("STACK_HOSTS", "compose").with("DB_PASSWORD", "a/b@c");
        let hosts = Hosts::of_settings(&settings).unwrap();
        assert_eq!(hosts.gateway(), "http://gateway:8080");
        assert_eq!(hosts.service(Service::Cart).unwrap(), "http://cart-service:8083");
        assert_eq!(hosts.redis(1, &settings), "redis://redis:6379/1");
        let order = hosts.database(Service::Order, &settings);
        assert_eq!(order.as_deref(), Some("postgres://shop:a%2Fb%40c@order-db:5432/order_db"));
        assert_eq!(hosts.database(Service::Cart, &settings), None);
    }

    #[test]
    fn a_local_shop_is_on_this_machine_at_the_ports_of_the_settings() {
        let settings = Settings::default().with("GATEWAY_PORT", "18080").with("STACK_POSTGRES_PORT", "25432");
        let hosts = Hosts::of_settings(&settings).unwrap();
        assert_eq!(hosts.gateway(), "http://localhost:18080");
        let user = hosts.database(Service::User, &settings).unwrap();
        assert!(user.ends_with("@127.0.0.1:25432/user_db"), "{user}");
    }
}
