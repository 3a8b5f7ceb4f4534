//! What the handlers of this service share.

use chassis::{BoxError, ServiceContext};
use messaging::Outbox;
use sqlx::PgPool;

use crate::{clients::Payments, config::Config};

/// What its handlers share.
#[derive(Debug, Clone)]
pub struct AppState {
    /// Where deliveries are kept.
    pub db: PgPool,
    /// Commits what appended events, and wakes the relay.
    pub outbox: Outbox,
    /// Who knows whether the money is there.
    pub payments: Payments,
}

impl AppState {
    /// Builds the state from the configuration. Nothing runs or connects yet.
    ///
    /// # Errors
    /// If a setting cannot be used, such as an address that is none.
    pub fn new(config: Config, pool: Option<PgPool>, context: &ServiceContext) -> Result<Self, BoxError> {
        let db = pool.ok_or("delivery-service needs its database")?;
        let payments = Payments::follow(&config.payment_grpc_url, context)?;
        Ok(Self { db, outbox: Outbox::default(), payments })
    }
}
