//! order-service: orders from the wish to the end.
//!
//! Start reading at [`domain::Status`] and its table, the state machine of an order. An order is placed over HTTP
//! ([`http`], [`app::place_order`]), moved on by what the other services tell ([`consumers`], [`app::advance_order`]),
//! and cancelled by its buyer or an administrator ([`app::cancel_order`]). What can get stuck is reconciled by
//! [`workers`]. Everything that changes is told to the shop through the outbox.

pub mod app;
pub mod clients;
pub mod config;
pub mod consumers;
pub mod domain;
mod error;
pub mod http;
pub mod store;
pub mod workers;

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use chassis::{BoxError, Kit, Lifecycle, Service, limit::RateLimit};
use contracts::{
    UserId,
    events::{Event, OrderCancelled, OrderCreated, OrderPaid, Stream},
};
use messaging::{Outbox, Readers, Relay};
use sqlx::{PgPool, migrate::Migrator};
use utoipa_axum::router::OpenApiRouter;

use crate::{clients::Peers, config::Config, domain::HoldLimits};

/// The tables of this service.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/order");

/// The streams that this service writes.
const STREAMS: &[Stream] = &[OrderCreated::STREAM, OrderPaid::STREAM, OrderCancelled::STREAM];

/// The service as the chassis runs it.
#[derive(Debug)]
pub struct OrderService;

/// What its handlers share.
#[derive(Debug, Clone)]
pub struct App {
    /// Where orders are kept.
    pub db: PgPool,
    /// Commits what appended events, and wakes the relay.
    pub outbox: Outbox,
    /// The services that are asked.
    pub peers: Peers,
    /// Knows whether an event was read, before it is published again.
    pub readers: Readers,
    /// Tasks that outlive the request that began them.
    pub lifecycle: Lifecycle,
    /// How much one buyer may keep without having paid.
    pub limits: HoldLimits,
    /// How often one buyer may order and cancel.
    pub rates: Arc<Rates>,
    /// Whether it is known since the start that no other order had the numbers that are given out next.
    pub numbers_are_free: Arc<AtomicBool>,
    /// How long somebody has to pay who never paid before; zero for as long as everybody.
    pub new_buyer_expiry: Duration,
}

/// How often one buyer may do what costs others something.
#[derive(Debug)]
pub struct Rates {
    /// Placing an order.
    pub orders: RateLimit<UserId>,
    /// Cancelling one.
    pub cancels: RateLimit<UserId>,
}

impl Service for OrderService {
    const NAME: &'static str = "order-service";
    const HTTP_PORT: u16 = 8084;
    type Config = Config;
    type App = App;

    fn migrator() -> Option<&'static Migrator> {
        Some(&MIGRATOR)
    }

    fn http() -> OpenApiRouter<App> {
        http::router()
    }

    async fn app(config: Config, pool: Option<PgPool>, kit: &Kit) -> Result<App, BoxError> {
        let db = pool.ok_or("order-service needs its database")?;
        Ok(App {
            db,
            outbox: Outbox::default(),
            peers: Peers::follow(&config, kit)?,
            readers: Readers::new(kit.common.redis.client(1)?),
            lifecycle: kit.lifecycle.clone(),
            limits: config.limits(),
            rates: Arc::new(Rates { orders: config.order_rate(), cancels: config.order_rate() }),
            numbers_are_free: Arc::default(),
            new_buyer_expiry: config.new_buyer_expiry(),
        })
    }

    async fn start(app: &App, kit: &Kit) -> Result<(), BoxError> {
        let redis = kit.common.redis.client(1)?;
        let relay = Relay::new(Self::NAME, app.db.clone(), redis.clone(), app.outbox.clone(), STREAMS);
        kit.lifecycle.spawn("relay", relay.run(kit.lifecycle.shutdown()));
        let consumer = consumers::consumer(app);
        kit.lifecycle.spawn("consumer", consumer.run(redis, kit.lifecycle.shutdown()));
        workers::start(app);
        Ok(())
    }
}
