//! The databases, Redis and APIs that the rules read.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::api::Api;
use crate::dead_letters::DeadLetters;
use crate::hosts::Hosts;
use crate::settings::Settings;
use crate::shop::{Service, Shop};
use crate::{Error, Result};

/// The number of the events' database in Redis.
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
    api: Api,
    midtrans: bool,
}

impl Ledger {
    /// Of a shop that this process runs.
    pub async fn of_shop(shop: &Shop) -> Result<Self> {
        let urls =
            Service::SIX.into_iter().filter_map(|service| Some((service, shop.database_url(service)?)));
        Self::open(urls.collect(), shop.redis_url(EVENTS), shop.base_url(), shop.settings()).await
    }

    /// Of the shop that runs with these settings.
    pub async fn of_settings(url: &str, settings: &Settings) -> Result<Self> {
        let hosts = Hosts::of_settings(settings)?;
        let urls = Service::SIX
            .into_iter()
            .filter_map(|service| Some((service, hosts.database(service, settings)?)));
        Self::open(urls.collect(), hosts.redis(EVENTS, settings), url.to_owned(), settings).await
    }

    async fn open(
        urls: Vec<(Service, String)>,
        redis: String,
        base: String,
        settings: &Settings,
    ) -> Result<Self> {
        let mut databases = BTreeMap::new();
        for (service, url) in urls {
            let pool =
                PgPoolOptions::new().max_connections(2).acquire_timeout(CONNECT_TIMEOUT).connect(&url).await;
            let unreachable = Error::sql(format!("open the database of {}", service.name()));
            databases.insert(service, pool.map_err(unreachable)?);
        }
        let redis = connect(redis).await?;
        let midtrans = settings.get("MIDTRANS_ENVIRONMENT") == "local";
        Ok(Self { databases, redis, api: Api::new(base)?, midtrans })
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

    /// The rows of a query in a service's database.
    pub(super) async fn rows<R>(&self, service: Service, query: &'static str) -> Result<Vec<R>>
    where
        R: for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
    {
        let pool =
            self.databases.get(&service).ok_or_else(|| Error::other("this service has no database"))?;
        let rows = sqlx::query_as(query).fetch_all(pool).await;
        rows.map_err(Error::sql(format!("ask the database of {}", service.name())))
    }

    /// The transactions of the local Midtrans; nothing if the shop uses the real one.
    pub(super) async fn transactions(&self) -> Result<Option<Vec<Value>>> {
        if !self.midtrans {
            return Ok(None);
        }
        let known = self.api.get("/midtrans/sandbox/transactions", None).await?.expect(200)?;
        known
            .as_array()
            .cloned()
            .map(Some)
            .ok_or_else(|| Error::other("the local Midtrans answered with no list"))
    }
}
