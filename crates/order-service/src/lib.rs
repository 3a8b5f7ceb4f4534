//! order-service: orders from the wish to the end.
//!
//! Start reading at [`domain::Status`] and its table, the state machine of an order. An order is placed over HTTP
//! ([`http`], [`app::place_order`]), moved on by what the other services tell ([`consumers`], [`app::advance_order`]),
//! and cancelled by its buyer or an administrator ([`app::cancel_order`]). What can get stuck is looked after by
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

use chassis::{BoxError, Kit, Service};
use contracts::events::{Event, OrderCancelled, OrderCreated, OrderPaid, Stream};
use messaging::{Outbox, Relay};
use sqlx::{PgPool, migrate::Migrator};
use utoipa_axum::router::OpenApiRouter;

use crate::{clients::Peers, config::Config};

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
    /// Unpaid orders that one buyer may have; 0 for no limit.
    pub max_open_orders: u32,
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
        let peers = Peers::follow(&config, kit)?;
        Ok(App { db, outbox: Outbox::default(), peers, max_open_orders: config.max_open_orders_per_user })
    }

    async fn start(app: &App, kit: &Kit) -> Result<(), BoxError> {
        let redis = kit.common.redis.client(1)?;
        let relay = Relay::new(Self::NAME, app.db.clone(), redis.clone(), app.outbox.clone(), STREAMS);
        kit.lifecycle.spawn("relay", relay.run(kit.lifecycle.shutdown()));
        let consumer = consumers::consumer(app);
        kit.lifecycle.spawn("consumer", consumer.run(redis, kit.lifecycle.shutdown()));
        workers::start(app, &kit.lifecycle);
        Ok(())
    }
}
