//! delivery-service: the goods of paid orders on their way to their buyers.
//!
//! Start reading at [`domain::Status`], the state machine. A delivery starts when an order is paid ([`consumers`]), is
//! moved by an administrator ([`http`], [`app::advance_delivery()`]) and can be stopped by order-service before it
//! leaves ([`grpc`], [`app::cancel_delivery()`]). What it reaches is published through the outbox.

#![allow(missing_docs, reason = "items are public for the tests only")]

pub mod app;
pub mod clients;
pub mod config;
pub mod consumers;
pub mod domain;
mod error;
pub mod grpc;
pub mod http;
mod state;
pub mod store;

use chassis::{BoxError, Service, ServiceContext};
use contracts::events::{DeliveryFailed, DeliveryShipped, DeliverySuccess, Event, Stream};
use sqlx::{PgPool, migrate::Migrator};
use tonic::service::Routes;
use utoipa_axum::router::OpenApiRouter;

use crate::config::Config;

pub use self::state::AppState;

pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/delivery");

/// The streams that this service writes.
const STREAMS: &[Stream] = &[DeliveryShipped::STREAM, DeliverySuccess::STREAM, DeliveryFailed::STREAM];

#[derive(Debug)]
pub struct DeliveryService;

impl Service for DeliveryService {
    const NAME: &'static str = "delivery-service";
    const HTTP_PORT: u16 = 8086;
    const GRPC_PORT: Option<u16> = Some(9086);
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
        messaging::start(context, Self::NAME, STREAMS, consumers::consumer(state))?;
        Ok(())
    }
}
