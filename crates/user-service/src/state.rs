//! What the handlers of this service share.

use chassis::{BoxError, ServiceContext, auth::Tokens};
use messaging::Outbox;
use sqlx::PgPool;

use crate::{
    app::hash::Hasher,
    config::{Config, FirstAdmin},
    domain::{DeviceKey, RateLimits, RefreshKey},
    store::counters::Counters,
};

/// What its handlers share.
#[derive(Clone)]
pub struct AppState {
    /// Accounts, sessions, addresses, outbox.
    pub db: PgPool,
    /// Wakes the relay after a commit.
    pub outbox: Outbox,
    /// Signs access tokens.
    pub tokens: Tokens,
    /// Makes refresh tokens.
    pub refresh: RefreshKey,
    /// Makes device tokens.
    pub devices: DeviceKey,
    /// Hashes passwords, a few at a time.
    pub hasher: Hasher,
    /// Counts what is limited.
    pub counters: Counters,
    /// How much there may be of it.
    pub limits: RateLimits,
    /// The administrator to make if there is none.
    pub first_admin: Option<FirstAdmin>,
}

impl AppState {
    /// Builds the state from the configuration. Nothing runs or connects yet.
    ///
    /// # Errors
    /// If a setting cannot be used, such as an address that is none.
    pub fn new(config: Config, pool: Option<PgPool>, context: &ServiceContext) -> Result<Self, BoxError> {
        let (secret, previous) = (&config.common.jwt_secret, config.common.jwt_secret_previous.as_ref());
        Ok(Self {
            db: pool.ok_or("user-service needs its database")?,
            outbox: Outbox::default(),
            tokens: context.tokens.clone(),
            refresh: RefreshKey::derive(secret, previous)?,
            devices: DeviceKey::derive(secret, previous)?,
            hasher: Hasher::new(),
            counters: Counters::new(config.common.redis.client(0)?),
            limits: config.rate_limits(),
            first_admin: config.first_admin(),
        })
    }
}
