//! What the handlers of this service share.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use chassis::{BoxError, Lifecycle, ServiceContext, group_commit::GroupCommit, limit::RateLimit};
use contracts::UserId;
use messaging::{GroupProgress, Outbox};
use sqlx::PgPool;

use crate::{
    clients::Clients,
    config::Config,
    domain::{HoldLimits, Placement},
};

/// How often one buyer may do what costs others something.
#[derive(Debug)]
pub struct Rates {
    pub orders: RateLimit<UserId>,
    pub cancels: RateLimit<UserId>,
}

/// What handlers, consumers and jobs share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    pub db: PgPool,
    /// Commits transactions that append events, and notifies the relay.
    pub outbox: Outbox,
    pub clients: Clients,
    /// Knows whether an event was read, before it is published again.
    pub group_progress: GroupProgress,
    /// Runs what has to be finished although its request has ended.
    pub lifecycle: Lifecycle,
    /// How much one buyer may hold without having paid.
    pub limits: HoldLimits,
    /// Orders that are placed at the same time are committed together.
    pub placements: GroupCommit<Placement>,
    /// How often one buyer may order and cancel.
    pub rates: Arc<Rates>,
    /// Whether it is known since the start that no other order had the numbers that are given out next.
    pub numbers_are_free: Arc<AtomicBool>,
    /// How long somebody has to pay who never paid before; zero for as long as everybody.
    pub new_buyer_expiry: Duration,
    /// Whether only accounts with a verified e-mail address may order.
    pub require_verified_email: bool,
}

impl AppState {
    /// Builds the state from the configuration. Nothing runs or connects yet.
    ///
    /// # Errors
    /// If a setting cannot be used, such as an address that is none.
    pub fn new(config: Config, pool: Option<PgPool>, context: &ServiceContext) -> Result<Self, BoxError> {
        let db = pool.ok_or("order-service needs its database")?;
        Ok(Self {
            db,
            outbox: Outbox::default(),
            clients: Clients::follow(&config, context)?,
            group_progress: GroupProgress::new(context.common.redis.client(1)?),
            lifecycle: context.lifecycle.clone(),
            limits: config.limits(),
            placements: GroupCommit::default(),
            rates: Arc::new(Rates { orders: config.order_rate(), cancels: config.order_rate() }),
            numbers_are_free: Arc::default(),
            new_buyer_expiry: config.new_buyer_expiry(),
            require_verified_email: config.require_verified_email,
        })
    }
}
