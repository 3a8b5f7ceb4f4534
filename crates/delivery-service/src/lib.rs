//! delivery-service: the goods of paid orders on their way to their buyers.
//!
//! Start reading at [`domain::Status`], the state machine. A delivery starts when an order is paid ([`consumers`]), is
//! moved on by an administrator ([`http`], [`app::advance_delivery`]) and can be stopped by order-service before it
//! leaves ([`grpc`], [`app::cancel_delivery`]). Each milestone is told to the shop through the outbox.

pub mod app;
pub mod clients;
pub mod config;
pub mod consumers;
pub mod domain;
mod error;
pub mod grpc;
pub mod http;
pub mod store;

use chassis::{BoxError, Kit, Service};
use contracts::events::{DeliveryFailed, DeliveryShipped, DeliverySuccess, Event, Stream};
use messaging::{Outbox, Relay};
use sqlx::{PgPool, migrate::Migrator};
use tonic::service::Routes;
use utoipa_axum::router::OpenApiRouter;

use crate::{clients::Payments, config::Config};

/// The tables of this service.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/delivery");

/// The streams that this service writes.
const STREAMS: &[Stream] = &[DeliveryShipped::STREAM, DeliverySuccess::STREAM, DeliveryFailed::STREAM];

/// The service as the chassis runs it.
#[derive(Debug)]
pub struct DeliveryService;

/// What its handlers share.
#[derive(Debug, Clone)]
pub struct App {
    /// Where deliveries are kept.
    pub db: PgPool,
    /// Commits what appended events, and wakes the relay.
    pub outbox: Outbox,
    /// Who knows whether the money is there.
    pub payments: Payments,
}

impl Service for DeliveryService {
    const NAME: &'static str = "delivery-service";
    const HTTP_PORT: u16 = 8086;
    const GRPC_PORT: Option<u16> = Some(9086);
    type Config = Config;
    type App = App;

    fn migrator() -> Option<&'static Migrator> {
        Some(&MIGRATOR)
    }

    fn http() -> OpenApiRouter<App> {
        http::router()
    }

    fn grpc(app: &App) -> Option<Routes> {
        Some(grpc::routes(app))
    }

    async fn app(config: Config, pool: Option<PgPool>, kit: &Kit) -> Result<App, BoxError> {
        let db = pool.ok_or("delivery-service needs its database")?;
        let payments = Payments::follow(&config.payment_grpc_url, kit)?;
        Ok(App { db, outbox: Outbox::default(), payments })
    }

    async fn start(app: &App, kit: &Kit) -> Result<(), BoxError> {
        let redis = kit.common.redis.client(1)?;
        let relay = Relay::new(Self::NAME, app.db.clone(), redis.clone(), app.outbox.clone(), STREAMS);
        kit.lifecycle.spawn("relay", relay.run(kit.lifecycle.shutdown()));
        let consumer = consumers::consumer(app);
        kit.lifecycle.spawn("consumer", consumer.run(redis, kit.lifecycle.shutdown()));
        Ok(())
    }
}
