//! payment-service: the money of an order, from the payment page at Midtrans to the last refund.
//!
//! Tour: `domain/status.rs` is the table that binds (T2), `domain/seen.rs` its inputs, `domain/refund.rs` how money goes
//! back. `app/` has a use case per file; `app/settle.rs` is the one that applies what Midtrans says, wherever it was
//! heard: a stored notification, a poll, somebody looking, or an action of ours. `workers.rs` starts what goes on by
//! itself. Only Midtrans' answer to a question of ours is believed, never a notification's body.

pub mod app;
pub mod clients;
pub mod config;
pub mod consumers;
pub mod domain;
mod error;
pub mod grpc;
pub mod http;
pub mod store;
pub mod workers;

use std::sync::Arc;

use chassis::{BoxError, Kit, Lifecycle, Service};
use contracts::events::{Event, PaymentFailed, PaymentRefunded, PaymentReversed, PaymentSuccess, Stream};
use messaging::{Outbox, Relay};
use sqlx::{PgPool, migrate::Migrator};
use tonic::service::Routes;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    clients::{Midtrans, Orders},
    config::Config,
    workers::Wakes,
};

/// The streams that this service writes.
const STREAMS: &[Stream] =
    &[PaymentSuccess::STREAM, PaymentFailed::STREAM, PaymentRefunded::STREAM, PaymentReversed::STREAM];

/// The tables of this service.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/payment");

/// The service as the chassis runs it.
#[derive(Debug)]
pub struct PaymentService;

/// What its handlers share.
#[derive(Clone)]
pub struct App {
    /// `payment_db`.
    pub db: PgPool,
    /// Wakes the relay after a commit.
    pub outbox: Outbox,
    /// Wakes the workers after a commit.
    pub wakes: Wakes,
    /// Where the money is.
    pub midtrans: Midtrans,
    /// Who knows whether the goods have left.
    pub orders: Orders,
    /// The settings.
    pub config: Arc<Config>,
    /// For work that goes on although its caller has gone.
    pub lifecycle: Lifecycle,
}

impl Service for PaymentService {
    const NAME: &'static str = "payment-service";
    const HTTP_PORT: u16 = 8085;
    const GRPC_PORT: Option<u16> = Some(9085);
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
        Ok(App {
            db: pool.ok_or("payment-service needs its database")?,
            outbox: Outbox::default(),
            wakes: Wakes::default(),
            midtrans: Midtrans::new(config.midtrans(), kit.health.clone())?,
            orders: Orders::new(&config.common.peers.order_url)?,
            config: Arc::new(config),
            lifecycle: kit.lifecycle.clone(),
        })
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
