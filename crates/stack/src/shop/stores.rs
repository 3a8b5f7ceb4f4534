//! PostgreSQL and Redis of a shop whose services do not run.

use super::databases::Server;
use super::{ShopOptions, start};
use crate::Result;
use dev_servers::{Postgres, Redis, folder};

/// The stores, stopped when dropped.
#[derive(Debug)]
pub struct Stores {
    redis: Redis,
    postgres: Option<Postgres>,
}

impl Stores {
    /// Starts them, with every database, which may be empty.
    pub async fn start(options: ShopOptions) -> Result<Self> {
        folder::create(&options.data.join("logs"))?;
        let (mut options, redis, postgres) = start::stores(options).await?;
        Server::new(&options, postgres.as_ref())?.prepare(&mut options).await?;
        Ok(Self { redis, postgres })
    }

    /// Ends them in order.
    pub async fn stop(mut self) -> Result<()> {
        self.redis.stop().await?;
        match &mut self.postgres {
            Some(postgres) => postgres.stop().await,
            None => Ok(()),
        }
    }
}
