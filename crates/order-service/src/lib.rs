//! order-service: orders from the request to the end.
//!
//! Start reading at [`domain::Status`] and its table, the state machine of an order. An order is placed over HTTP
//! ([`http`], [`app::place_order`]), moved on by the events of the other services ([`consumers`],
//! [`app::advance_order`]), and cancelled by its buyer or an administrator ([`app::cancel_order`]). The jobs in
//! [`workers`] reconcile what gets stuck. Every change is published through the outbox.

#![allow(missing_docs, reason = "items are public for the tests only")]

pub mod app;
pub mod clients;
pub mod config;
pub mod consumers;
pub mod domain;
mod error;
pub mod http;
mod state;
pub mod store;
pub mod workers;

use chassis::{BoxError, Service, ServiceContext};
use contracts::events::{Event, OrderCancelled, OrderCreated, OrderPaid, Stream};
use sqlx::{PgPool, migrate::Migrator};
use utoipa_axum::router::OpenApiRouter;

use crate::config::Config;

pub use self::state::AppState;

pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/order");

/// The streams that this service writes.
const STREAMS: &[Stream] = &[OrderCreated::STREAM, OrderPaid::STREAM, OrderCancelled::STREAM];

/// The service as the chassis runs it.
#[derive(Debug)]
pub struct OrderService;

impl Service for OrderService {
    const NAME: &'static str = "order-service";
    const HTTP_PORT: u16 = 8084;
    type Config = Config;
    type State = AppState;

    fn migrator() -> Option<&'static Migrator> {
        Some(&MIGRATOR)
    }

    fn http() -> OpenApiRouter<AppState> {
        http::router()
    }

    async fn state(
        config: Config,
        pool: Option<PgPool>,
        context: &ServiceContext,
    ) -> Result<AppState, BoxError> {
        AppState::new(config, pool, context)
    }

    async fn start(state: &AppState, context: &ServiceContext) -> Result<(), BoxError> {
        messaging::start(context, Self::NAME, STREAMS, consumers::consumer(state))?;
        workers::start(state);
        Ok(())
    }
}
