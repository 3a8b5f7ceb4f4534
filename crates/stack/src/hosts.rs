//! Where the shop's servers are found: on this machine, inside docker compose, or where variables say.

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
    /// What runs anywhere, as in production: each address is a variable.
    Given {
        /// The gateway's base URL.
        gateway: String,
    },
}

/// A variable that must be set if others say where everything is.
fn given<'a>(settings: &'a Settings, name: &str) -> Result<&'a str> {
    let value = Some(settings.get(name)).filter(|value| !value.is_empty());
    value.ok_or_else(|| Error::other(format!("STACK_HOSTS=given needs {name}")))
}

impl Hosts {
    /// What `STACK_HOSTS` says; an error if it is neither.
    pub fn of_settings(settings: &Settings) -> Result<Self> {
        match settings.get("STACK_HOSTS") {
            "local" => Ports::of_settings(settings).map(Self::Local),
            "compose" => Ok(Self::Compose),
            "given" => {
                let gateway = given(settings, "STACK_GATEWAY_URL")?.trim_end_matches('/').to_owned();
                Ok(Self::Given { gateway })
            }
            other => Err(Error::other(format!("STACK_HOSTS must be local, compose or given, not {other:?}"))),
        }
    }

    /// The base URL of the gateway.
    pub fn gateway(&self) -> String {
        match self {
            Self::Local(ports) => format!("http://localhost:{}", ports.gateway),
            Self::Compose => "http://gateway:8080".to_owned(),
            Self::Given { gateway } => gateway.clone(),
        }
    }

    /// A service's base URL, past the gateway, if it can be reached there.
    pub fn service(&self, service: Service) -> Result<Option<String>> {
        match self {
            Self::Local(ports) => Ok(Some(format!("http://127.0.0.1:{}", ports.http(service)))),
            Self::Compose => {
                let port = Ports::of_settings(&Settings::default())?.http(service);
                Ok(Some(format!("http://{}:{port}", service.name())))
            }
            Self::Given { .. } => Ok(None),
        }
    }

    /// The address of a service's database, if it has one.
    pub fn database(&self, service: Service, settings: &Settings) -> Result<Option<String>> {
        let Some(variable) = service.database() else { return Ok(None) };
        let server = match self {
            Self::Local(ports) => format!("127.0.0.1:{}", ports.postgres),
            Self::Compose => format!("{}-db:5432", service.name().trim_end_matches("-service")),
            Self::Given { .. } => {
                let variable = format!("STACK_{}", variable.replace("_NAME", "_URL"));
                let url = given(settings, &variable).map(str::to_owned);
                // A shop that does without a service has no database for it.
                return if service.is_optional() { Ok(url.ok()) } else { url.map(Some) };
            }
        };
        let invalid = || Error::other(format!("{variable}, DB_USER and DB_PASSWORD make no address"));
        let address = format!("postgres://{server}/{}", settings.get(variable));
        let mut url = reqwest::Url::parse(&address).map_err(|_| invalid())?;
        url.set_username(settings.get("DB_USER")).map_err(|()| invalid())?;
        url.set_password(Some(settings.get("DB_PASSWORD"))).map_err(|()| invalid())?;
        Ok(Some(url.into()))
    }

    /// The address of one of Redis' numbered databases.
    pub fn redis(&self, database: u8, settings: &Settings) -> Result<String> {
        let password = Some(settings.get("REDIS_PASSWORD")).filter(|password| !password.is_empty());
        Ok(match self {
            Self::Local(ports) => redis_url("127.0.0.1", ports.redis, password, database),
            Self::Compose => redis_url("redis", 6379, password, database),
            Self::Given { .. } => {
                let url = given(settings, "STACK_REDIS_URL")?.trim_end_matches('/');
                format!("{url}/{database}")
            }
        })
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
        assert_eq!(hosts.service(Service::Cart).unwrap().unwrap(), "http://cart-service:8083");
        assert_eq!(hosts.redis(1, &settings).unwrap(), "redis://redis:6379/1");
        let order = hosts.database(Service::Order, &settings).unwrap();
        assert_eq!(order.as_deref(), Some("postgres://shop:a%2Fb%40c@order-db:5432/order_db"));
        assert_eq!(hosts.database(Service::Cart, &settings).unwrap(), None);
    }

    #[test]
    fn a_local_shop_is_on_this_machine_at_the_ports_of_the_settings() {
        let settings = Settings::default().with("GATEWAY_PORT", "18080").with("STACK_POSTGRES_PORT", "25432");
        let hosts = Hosts::of_settings(&settings).unwrap();
        assert_eq!(hosts.gateway(), "http://localhost:18080");
        let user = hosts.database(Service::User, &settings).unwrap().unwrap();
        assert!(user.ends_with("@127.0.0.1:25432/user_db"), "{user}");
    }
    #[test]
    fn in_production_every_address_is_given_and_the_one_that_is_missing_is_named() {
        let settings = Settings::default()
            .with("STACK_HOSTS", "given")
            .with("STACK_GATEWAY_URL", "https://shop.example/")
            .with("STACK_ORDER_DB_URL", "postgres://reader:secret@db.example/orders")
            .with("STACK_REDIS_URL", "redis://:secret@redis.example:6379/");
        let hosts = Hosts::of_settings(&settings).unwrap();
        assert_eq!(hosts.gateway(), "https://shop.example");
        assert_eq!(hosts.redis(1, &settings).unwrap(), "redis://:secret@redis.example:6379/1");
        let order = hosts.database(Service::Order, &settings).unwrap().unwrap();
        assert_eq!(order, "postgres://reader:secret@db.example/orders");
        let missing = hosts.database(Service::User, &settings).unwrap_err().to_string();
        assert_eq!(missing, "STACK_HOSTS=given needs STACK_USER_DB_URL");
        assert_eq!(
            hosts.database(Service::Notification, &settings).unwrap(),
            None,
            "a shop may do without it"
        );
    }
}
