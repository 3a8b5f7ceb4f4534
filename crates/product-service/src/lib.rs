//! product-service: the catalogue, its stock, and what is held of it for orders.
//!
//! Start reading at [`domain::hold`], the state machine of what is held for an order. An order's stock is held when it
//! is created, sold when it is paid and freed when it ends ([`consumers`], [`app::hold_stock()`]); each answer leaves
//! through the outbox. Customers browse and administrators manage the catalogue over HTTP ([`http`]); cart-service and
//! order-service ask for prices over gRPC ([`grpc`]).

#![allow(missing_docs, reason = "items are public for the tests only")]

pub mod app;
pub mod cache;
pub mod config;
pub mod consumers;
pub mod domain;
mod error;
pub mod grpc;
pub mod http;
mod state;
pub mod store;
mod view;
pub mod workers;

use std::sync::Arc;

use chassis::{BoxError, Service, ServiceContext, broadcast::Broadcast};
use contracts::{
    catalogue::{CHANNEL, changed},
    events::{Event, StockInsufficient, StockReserved, Stream},
};
use sqlx::{PgPool, migrate::Migrator};
use tonic::service::Routes;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    app::{refold_names, seed_catalogue},
    config::Config,
};

pub use self::state::AppState;

pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/product");

/// The streams that this service writes.
const STREAMS: &[Stream] = &[StockReserved::STREAM, StockInsufficient::STREAM];

#[derive(Debug)]
pub struct ProductService;

impl Service for ProductService {
    const NAME: &'static str = "product-service";
    const HTTP_PORT: u16 = 8082;
    const GRPC_PORT: Option<u16> = Some(9082);
    type Config = Config;
    type State = AppState;

    fn migrator() -> Option<&'static Migrator> {
        Some(&MIGRATOR)
    }

    fn http() -> OpenApiRouter<AppState> {
        http::router()
    }

    fn grpc(state: &AppState) -> Option<Routes> {
        Some(grpc::routes(state))
    }

    async fn state(
        config: Config,
        pool: Option<PgPool>,
        context: &ServiceContext,
    ) -> Result<AppState, BoxError> {
        AppState::new(config, pool, context)
    }

    async fn start(state: &AppState, context: &ServiceContext) -> Result<(), BoxError> {
        if refold_names(state).await? {
            tracing::info!("the keys of names were made anew");
        }
        if state.seeds && seed_catalogue(state).await? {
            tracing::info!("demo data was added to the empty catalogue");
        }
        messaging::start(context, Self::NAME, STREAMS, consumers::consumer(state))?;
        workers::start(state, &context.lifecycle);
        let catalogue = Arc::clone(&state.catalogue);
        Broadcast::listen(context.common.redis.client(0)?, CHANNEL, &context.lifecycle, move |message| {
            catalogue.changed(&changed(&message.unwrap_or_default()));
        });
        Ok(())
    }
}
