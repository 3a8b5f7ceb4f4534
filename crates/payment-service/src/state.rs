//! The shared state of this service.

use std::sync::Arc;

use chassis::{BoxError, Lifecycle, ServiceContext, group_commit::GroupCommit};
use messaging::Outbox;
use sqlx::PgPool;

use crate::{
    app::FindHint,
    clients::{Midtrans, Orders},
    config::Config,
    domain::Settlement,
    store::{MadePage, NewAttempt, NewNotification},
};

/// What handlers, use cases and jobs share.
#[derive(Clone)]
pub struct AppState {
    pub db: PgPool,
    /// Commits events, and has the relay publish them at once.
    pub outbox: Outbox,
    /// What is found out about payments at the same time is applied together.
    pub settlements: GroupCommit<Settlement>,
    /// Attempts that are begun at the same time are written together.
    pub attempts: GroupCommit<NewAttempt>,
    /// Pages that are made at the same time are kept together.
    pub pages: GroupCommit<MadePage>,
    /// Notifications that come at the same time are kept together.
    pub notifications: GroupCommit<NewNotification>,
    /// Notifications that are handled at the same time are read together.
    pub hints: GroupCommit<FindHint>,
    /// Enqueues jobs, and has the worker run them at once.
    pub jobs: jobs::Queue,
    pub midtrans: Midtrans,
    /// Asked whether the goods have left.
    pub orders: Orders,
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
            settlements: GroupCommit::default(),
            attempts: GroupCommit::default(),
            pages: GroupCommit::default(),
            notifications: GroupCommit::default(),
            hints: GroupCommit::default(),
            jobs: jobs::Queue::default(),
            midtrans: Midtrans::new(config.midtrans(), context.health.clone())?,
            orders: Orders::new(&config.common.peers.order_url)?,
            config: Arc::new(config),
            lifecycle: context.lifecycle.clone(),
        })
    }
}
