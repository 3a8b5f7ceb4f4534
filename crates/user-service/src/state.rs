//! What the handlers of this service share: built once, cloned for each.

use chassis::{BoxError, ServiceContext, auth::Tokens};
use messaging::Outbox;
use sqlx::PgPool;

use crate::{
    config::{Config, FirstAdmin},
    domain::{DeviceKey, MailKey, RateLimits, RefreshKey},
    hasher::Hasher,
    store::counters::Counters,
};

#[derive(Clone)]
pub struct AppState {
    pub db: PgPool,
    /// Commits what appended events, and signals the relay.
    pub outbox: Outbox,
    pub tokens: Tokens,
    pub refresh: RefreshKey,
    pub devices: DeviceKey,
    /// Makes the tokens that are sent by e-mail.
    pub mails: MailKey,
    pub hasher: Hasher,
    pub counters: Counters,
    pub limits: RateLimits,
    /// Made at the start if there is no administrator.
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
            mails: MailKey::derive(secret, previous)?,
            hasher: Hasher::new(),
            counters: Counters::new(config.common.redis.client(0)?),
            limits: config.rate_limits(),
            first_admin: config.first_admin(),
        })
    }
}
