//! product-service: the catalogue, its stock, and what is kept of it for orders.
//!
//! Start reading at [`domain::hold`], the state machine of what is kept for an order. An order's stock is held when it
//! is created, sold when it is paid and freed when it ends ([`consumers`], [`app::hold_stock`]); each answer goes out
//! through the outbox. Customers look around and administrators fill the shelves over HTTP ([`http`]); carts and orders
//! ask for prices over gRPC ([`grpc`]).

pub mod app;
pub mod config;
pub mod consumers;
pub mod domain;
mod error;
pub mod grpc;
pub mod http;
pub mod store;
pub mod workers;

use chassis::{BoxError, Kit, Service};
use contracts::events::{Event, StockInsufficient, StockReserved, Stream};
use messaging::{Outbox, Relay};
use sqlx::{PgPool, migrate::Migrator};
use tonic::service::Routes;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    app::{refold_names::refold_names, seed_catalogue::seed_catalogue},
    config::Config,
};

/// The tables of this service.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/product");

/// The streams that this service writes.
const STREAMS: &[Stream] = &[StockReserved::STREAM, StockInsufficient::STREAM];

/// The service as the chassis runs it.
#[derive(Debug)]
pub struct ProductService;

/// What its handlers share.
#[derive(Debug, Clone)]
pub struct App {
    /// Where products, stock and holds are kept.
    pub db: PgPool,
    /// Commits what appended events, and wakes the relay.
    pub outbox: Outbox,
    /// Whether the first run makes demo data.
    pub seeds: bool,
}

impl Service for ProductService {
    const NAME: &'static str = "product-service";
    const HTTP_PORT: u16 = 8082;
    const GRPC_PORT: Option<u16> = Some(9082);
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

    async fn app(config: Config, pool: Option<PgPool>, _: &Kit) -> Result<App, BoxError> {
        let db = pool.ok_or("product-service needs its database")?;
        Ok(App { db, outbox: Outbox::default(), seeds: config.seeds() })
    }

    async fn start(app: &App, kit: &Kit) -> Result<(), BoxError> {
        if refold_names(app).await? {
            tracing::info!("the keys of names follow today's rule");
        }
        if app.seeds && seed_catalogue(app).await? {
            tracing::info!("the catalogue was empty: it has demo data now");
        }
        let redis = kit.common.redis.client(1)?;
        let relay = Relay::new(Self::NAME, app.db.clone(), redis.clone(), app.outbox.clone(), STREAMS);
        kit.lifecycle.spawn("relay", relay.run(kit.lifecycle.shutdown()));
        let consumer = consumers::consumer(app);
        kit.lifecycle.spawn("consumer", consumer.run(redis, kit.lifecycle.shutdown()));
        workers::start(app, &kit.lifecycle);
        Ok(())
    }
}
