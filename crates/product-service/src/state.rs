//! What the handlers of this service share: built once, cloned for each.

use std::sync::Arc;

use chassis::{BoxError, ServiceContext};
use messaging::Outbox;
use sqlx::PgPool;

use crate::{cache::CatalogueCache, config::Config};

#[derive(Clone)]
pub struct AppState {
    pub db: PgPool,
    /// Commits what appended events, and signals the relay.
    pub outbox: Outbox,
    pub catalogue: Arc<CatalogueCache>,
    /// Whether an empty catalogue gets demo data.
    pub seeds: bool,
}

impl AppState {
    /// Builds the state from the configuration. Nothing runs or connects yet.
    ///
    /// # Errors
    /// If a setting cannot be used, such as an address that is none.
    pub fn new(config: Config, pool: Option<PgPool>, _: &ServiceContext) -> Result<Self, BoxError> {
        let db = pool.ok_or("product-service needs its database")?;
        let catalogue = Arc::new(CatalogueCache::new(db.clone()));
        Ok(Self { db, outbox: Outbox::default(), catalogue, seeds: config.seeds() })
    }
}
