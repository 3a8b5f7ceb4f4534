//! What the handlers of this service share: built once, cloned for each.

use std::sync::Arc;

use chassis::{BoxError, ServiceContext, broadcast::Broadcast};
use contracts::ProductId;
use messaging::Outbox;
use sqlx::PgPool;

use crate::{cache::CatalogueCache, config::Config};

#[derive(Clone)]
pub struct AppState {
    pub db: PgPool,
    /// Commits what appended events, and signals the relay.
    pub outbox: Outbox,
    pub catalogue: Arc<CatalogueCache>,
    /// Sends what an administrator changed to other processes.
    broadcast: Broadcast,
    /// Whether an empty catalogue gets demo data.
    pub seeds: bool,
}

impl AppState {
    /// Builds the state from the configuration. Nothing runs or connects yet.
    ///
    /// # Errors
    /// If a setting cannot be used, such as an address that is none.
    pub fn new(config: Config, pool: Option<PgPool>, context: &ServiceContext) -> Result<Self, BoxError> {
        let db = pool.ok_or("product-service needs its database")?;
        let catalogue = Arc::new(CatalogueCache::new(db.clone()));
        let broadcast = Broadcast::new(context.common.redis.client(0)?, contracts::catalogue::CHANNEL)?;
        Ok(Self { db, outbox: Outbox::default(), catalogue, broadcast, seeds: config.seeds() })
    }

    /// To be called when an administrator's change is committed: it is seen in this process before this returns. Without
    /// products, any of them may have changed.
    pub async fn catalogue_changed(&self, ids: &[ProductId]) {
        self.catalogue.changed(ids);
        self.broadcast.send(&contracts::catalogue::message(ids)).await;
    }
}
