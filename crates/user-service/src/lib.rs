//! user-service: who people are, whether they are logged in, and where they live.
//!
//! - [`domain`]: accounts, passwords, the chain of refresh tokens, addresses, limits; rules only.
//! - [`app`]: one file per use case; the only place where transactions begin and end.
//! - [`store`]: the SQL, and the counts of attempts in Redis.
//! - [`http`]: the routes; [`http::Caller`] is who asks, looked up in the database.
//! - [`workers`]: forgets what has expired, and gives back memory.
//!
//! The other services learn of an ended session from the event `SessionEnded`, which leaves through the outbox.

pub mod app;
pub mod config;
pub mod domain;
mod error;
pub mod http;
pub mod store;
pub mod workers;

use chassis::{BoxError, Kit, Service, auth::Tokens};
use contracts::events::{Event, SessionEnded, Stream};
use messaging::{Outbox, Relay};
use sqlx::{PgPool, migrate::Migrator};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    app::hash::Hasher,
    config::{Config, FirstAdmin},
    domain::{DeviceKey, RateLimits, RefreshKey},
    store::counters::Counters,
};

/// The tables of this service.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/user");

/// The streams that this service writes.
const STREAMS: &[Stream] = &[SessionEnded::STREAM];

/// The service as the chassis runs it.
#[derive(Debug)]
pub struct UserService;

/// What its handlers share.
#[derive(Clone)]
pub struct App {
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

impl Service for UserService {
    const NAME: &'static str = "user-service";
    const HTTP_PORT: u16 = 8081;
    type Config = Config;
    type App = App;

    fn migrator() -> Option<&'static Migrator> {
        Some(&MIGRATOR)
    }

    fn http() -> OpenApiRouter<App> {
        http::router()
    }

    async fn app(config: Config, pool: Option<PgPool>, kit: &Kit) -> Result<App, BoxError> {
        let (secret, previous) = (&config.common.jwt_secret, config.common.jwt_secret_previous.as_ref());
        Ok(App {
            db: pool.ok_or("user-service needs its database")?,
            outbox: Outbox::default(),
            tokens: kit.tokens.clone(),
            refresh: RefreshKey::derive(secret, previous)?,
            devices: DeviceKey::derive(secret, previous)?,
            hasher: Hasher::new(),
            counters: Counters::new(config.common.redis.client(0)?),
            limits: config.rate_limits(),
            first_admin: config.first_admin(),
        })
    }

    async fn start(app: &App, kit: &Kit) -> Result<(), BoxError> {
        app::make_first_admin::make_first_admin(app).await?;
        let redis = kit.common.redis.client(1)?;
        let relay = Relay::new(Self::NAME, app.db.clone(), redis, app.outbox.clone(), STREAMS);
        kit.lifecycle.spawn("relay", relay.run(kit.lifecycle.shutdown()));
        workers::start(app, &kit.lifecycle);
        Ok(())
    }
}
