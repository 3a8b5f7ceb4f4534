//! payment-service: the money of an order, from the payment page at Midtrans to the last refund.
//!
//! Tour: `domain/status.rs` is the table that binds (T2), `domain/answer.rs` its inputs, `domain/refund.rs` how money is
//! refunded. `app/` has a use case per file; `app/settle.rs` applies each observation, whether a notification, a poll, a
//! request or an action of ours caused it. `workers.rs` starts jobs and maintenance. Only Midtrans' answer to a question of ours is believed, never a notification's body.

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
pub mod workers;

use chassis::{BoxError, Service, ServiceContext};
use contracts::events::{Event, PaymentFailed, PaymentRefunded, PaymentReversed, PaymentSuccess, Stream};
use sqlx::{PgPool, migrate::Migrator};
use tonic::service::Routes;
use utoipa_axum::router::OpenApiRouter;

use crate::config::Config;

pub use self::state::AppState;

/// The streams that this service writes.
const STREAMS: &[Stream] =
    &[PaymentSuccess::STREAM, PaymentFailed::STREAM, PaymentRefunded::STREAM, PaymentReversed::STREAM];

pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/payment");

/// The service as the chassis runs it.
#[derive(Debug)]
pub struct PaymentService;

impl Service for PaymentService {
    const NAME: &'static str = "payment-service";
    const HTTP_PORT: u16 = 8085;
    const GRPC_PORT: Option<u16> = Some(9085);
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
        workers::start(state, &context.lifecycle);
        Ok(())
    }
}
