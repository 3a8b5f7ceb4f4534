//! What the handlers of this service share: built once, cloned for each.

use chassis::{BoxError, ServiceContext, group_commit::GroupCommit};
use messaging::Outbox;
use sqlx::PgPool;

use crate::{app::Advance, clients::Payments, config::Config};

#[derive(Debug, Clone)]
pub struct AppState {
    pub db: PgPool,
    /// Commits what appended events, and signals the relay.
    pub outbox: Outbox,
    /// payment-service, which is asked whether the money is there before goods leave.
    pub payments: Payments,
    /// Changes that administrators make at the same time are one commit.
    pub advances: GroupCommit<Advance>,
}

impl AppState {
    /// Builds the state from the configuration. Nothing runs or connects yet.
    ///
    /// # Errors
    /// If a setting cannot be used, such as an address that is none.
    pub fn new(config: Config, pool: Option<PgPool>, context: &ServiceContext) -> Result<Self, BoxError> {
        let db = pool.ok_or("delivery-service needs its database")?;
        let payments = Payments::follow(&config.payment_grpc_url, context)?;
        Ok(Self { db, outbox: Outbox::default(), payments, advances: GroupCommit::default() })
    }
}
