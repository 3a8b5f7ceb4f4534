//! The databases, Redis and APIs that the rules read.

use std::collections::BTreeMap;
use std::time::Duration;

use midtrans::{Client, Config};
use redis::aio::MultiplexedConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, SqlSafeStr};

use super::midtrans::Midtrans;
use crate::api::Api;
use crate::dead_letters::DeadLetters;
use crate::hosts::Hosts;
use crate::settings::Settings;
use crate::shop::{Service, Shop};
use crate::{Error, Result};

/// The carts' database in Redis, and the events'.
const CARTS: u8 = 0;
pub(crate) const EVENTS: u8 = 1;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to Redis at this address.
pub(crate) async fn connect(url: String) -> Result<MultiplexedConnection> {
    let client = redis::Client::open(url).map_err(Error::redis("the address of Redis"))?;
    client.get_multiplexed_async_connection().await.map_err(Error::redis("connect to Redis"))
}

/// Connections to everything that the rules read.
#[derive(Debug, Clone)]
pub struct Ledger {
    databases: BTreeMap<Service, PgPool>,
    redis: MultiplexedConnection,
    carts: MultiplexedConnection,
    api: Api,
    midtrans: Midtrans,
}

/// What may be done with the databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Every session is read only: a role that may write cannot do so by mistake.
    Read,
    /// What it takes to repair something.
    Write,
}

impl Ledger {
    /// Of a shop that this process runs.
    pub async fn of_shop(shop: &Shop) -> Result<Self> {
        let urls =
            Service::SERVICES.into_iter().filter_map(|service| Some((service, shop.database_url(service)?)));
        let redis = [shop.redis_url(EVENTS), shop.redis_url(CARTS)];
        Self::open(urls.collect(), redis, shop.base_url(), shop.settings(), Access::Write).await
    }

    /// Of the shop that runs with these settings.
    pub async fn of_settings(url: &str, settings: &Settings, access: Access) -> Result<Self> {
        let hosts = Hosts::of_settings(settings)?;
        let mut urls = Vec::new();
        for service in Service::SERVICES {
            urls.extend(hosts.database(service, settings)?.map(|url| (service, url)));
        }
        let redis = [hosts.redis(EVENTS, settings)?, hosts.redis(CARTS, settings)?];
        Self::open(urls, redis, url.to_owned(), settings, access).await
    }

    async fn open(
        urls: Vec<(Service, String)>,
        [events, carts]: [String; 2],
        base: String,
        settings: &Settings,
        access: Access,
    ) -> Result<Self> {
        let mut databases = BTreeMap::new();
        for (service, url) in urls {
            let unreachable = || Error::sql(format!("open the database of {}", service.name()));
            let mut options: PgConnectOptions = url.parse().map_err(unreachable())?;
            if access == Access::Read {
                options = options.options([("default_transaction_read_only", "on")]);
            }
            let pool = PgPoolOptions::new().max_connections(2).acquire_timeout(CONNECT_TIMEOUT);
            match pool.connect_with(options).await {
                // A shop that does without it may have no database for it either, or an empty one.
                Ok(pool) if service.is_optional() && !has_tables(&pool).await? => {}
                Err(_) if service.is_optional() => {}
                Ok(pool) => drop(databases.insert(service, pool)),
                Err(error) => return Err(unreachable()(error)),
            }
        }
        let (redis, carts) = (connect(events).await?, connect(carts).await?);
        Ok(Self { databases, redis, carts, api: Api::new(base)?, midtrans: midtrans(settings)? })
    }

    /// The same, but Midtrans is asked about each payment by this client, as the real one is.
    #[must_use]
    pub fn asking(self, client: Client) -> Self {
        Self { midtrans: Midtrans::Remote(client), ..self }
    }

    /// A connection to the events in Redis.
    pub fn redis(&self) -> MultiplexedConnection {
        self.redis.clone()
    }

    /// The dead letters of this shop.
    pub fn dead_letters(&self) -> DeadLetters {
        let databases = self.databases().map(|(service, pool)| (service, pool.clone()));
        DeadLetters::new(databases.collect(), self.redis())
    }

    /// The databases, each with its service.
    pub(super) fn databases(&self) -> impl Iterator<Item = (Service, &PgPool)> {
        self.databases.iter().map(|(service, pool)| (*service, pool))
    }

    /// The database of a service.
    pub(super) fn pool(&self, service: Service) -> Result<&PgPool> {
        self.databases.get(&service).ok_or_else(|| Error::other("this service has no database"))
    }

    /// A connection to the carts in Redis.
    pub(super) fn carts(&self) -> MultiplexedConnection {
        self.carts.clone()
    }

    /// The shop as its customers see it.
    pub(super) fn api(&self) -> &Api {
        &self.api
    }

    /// How Midtrans' own words are got.
    pub(super) fn midtrans(&self) -> &Midtrans {
        &self.midtrans
    }

    /// The rows of a query in a service's database.
    pub(crate) async fn rows<R>(&self, service: Service, query: impl SqlSafeStr) -> Result<Vec<R>>
    where
        R: for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
    {
        let rows = sqlx::query_as(query).fetch_all(self.pool(service)?).await;
        rows.map_err(Error::sql(format!("ask the database of {}", service.name())))
    }
}

/// Whether the service of a database has ever run.
async fn has_tables(pool: &PgPool) -> Result<bool> {
    let exists = sqlx::query_scalar("SELECT to_regclass('messaging.outbox') IS NOT NULL").fetch_one(pool);
    exists.await.map_err(Error::sql("look for the tables of a service"))
}

/// As the shop itself is configured.
fn midtrans(settings: &Settings) -> Result<Midtrans> {
    let key = settings.get("MIDTRANS_SERVER_KEY");
    let config = match settings.get("MIDTRANS_ENVIRONMENT") {
        "local" => return Ok(Midtrans::Local),
        _ if key.is_empty() => return Ok(Midtrans::Unknown),
        "production" => Config::production(key.into()),
        _ => Config::sandbox(key.into()),
    };
    let client = Client::new(config);
    client.map(Midtrans::Remote).map_err(|error| Error::other(format!("ask Midtrans: {error}")))
}
