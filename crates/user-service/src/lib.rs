//! user-service: who people are, whether they are logged in, and where they live.
//!
//! - [`domain`]: accounts, passwords, the chain of refresh tokens, addresses, limits; rules only.
//! - [`app`]: one file per use case; the only place where transactions begin and end.
//! - [`store`]: the SQL, and the counts of attempts in Redis.
//! - [`http`]: the routes; [`http::Caller`] is who asks, looked up in the database.
//! - [`grpc`]: how people are reached, and what e-mails about their accounts say.
//! - [`cli`]: `user-service admin`, for a shop that has lost its administrators.
//! - [`hasher`]: passwords are hashed a few at a time, and parties take turns.
//! - [`workers`]: purges what has expired, and releases memory.
//!
//! The other services consume the event `SessionEnded`, notification-service also `AccountMailRequested`; both are published
//! through the outbox.

#![allow(missing_docs, reason = "items are public for the tests only")]

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
mod error;
pub mod grpc;
pub mod hasher;
pub mod http;
mod state;
pub mod store;
pub mod workers;

use chassis::{BoxError, Service, ServiceContext};
use clap::{ArgMatches, Command};
use contracts::events::{AccountMailRequested, Event, SessionEnded, Stream};
use sqlx::{PgPool, migrate::Migrator};
use tonic::service::Routes;
use utoipa_axum::router::OpenApiRouter;

use crate::config::Config;

pub use self::state::AppState;

pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/user");

/// The streams that this service writes.
const STREAMS: &[Stream] = &[SessionEnded::STREAM, AccountMailRequested::STREAM];

#[derive(Debug)]
pub struct UserService;

impl Service for UserService {
    const NAME: &'static str = "user-service";
    const HTTP_PORT: u16 = 8081;
    const GRPC_PORT: Option<u16> = Some(9081);
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

    fn tool() -> Option<Command> {
        Some(cli::command())
    }

    async fn run_tool(state: &AppState, matches: &ArgMatches) -> Result<(), BoxError> {
        cli::run(state, matches).await
    }

    async fn start(state: &AppState, context: &ServiceContext) -> Result<(), BoxError> {
        app::make_first_admin(state).await?;
        messaging::start_relay(context, Self::NAME, STREAMS, &state.db, &state.outbox)?;
        workers::start(state, &context.lifecycle);
        Ok(())
    }
}
