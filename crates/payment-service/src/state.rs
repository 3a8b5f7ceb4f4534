//! What the handlers of this service share.

use std::sync::Arc;

use chassis::{BoxError, Lifecycle, ServiceContext};
use messaging::Outbox;
use sqlx::PgPool;

use crate::{
    clients::{Midtrans, Orders},
    config::Config,
};

/// What its handlers share.
#[derive(Clone)]
pub struct AppState {
    /// `payment_db`.
    pub db: PgPool,
    /// Wakes the relay after a commit.
    pub outbox: Outbox,
    /// Wakes the worker of the jobs after a commit.
    pub jobs: jobs::Queue,
    /// Where the money is.
    pub midtrans: Midtrans,
    /// Who knows whether the goods have left.
    pub orders: Orders,
    /// The settings.
    pub config: Arc<Config>,
    /// For work that goes on although its caller has gone.
    pub lifecycle: Lifecycle,
}

impl AppState {
    /// Builds the state from the configuration. Nothing runs or connects yet.
    ///
    /// # Errors
    /// If a setting cannot be used, such as an address that is none.
    pub fn new(config: Config, pool: Option<PgPool>, context: &ServiceContext) -> Result<Self, BoxError> {
        Ok(Self {
            db: pool.ok_or("payment-service needs its database")?,
            outbox: Outbox::default(),
            jobs: jobs::Queue::default(),
            midtrans: Midtrans::new(config.midtrans(), context.health.clone())?,
            orders: Orders::new(&config.common.peers.order_url)?,
            config: Arc::new(config),
            lifecycle: context.lifecycle.clone(),
        })
    }
}
