//! notification-service: what customers are sent about their orders, by e-mail and over a webhook.
//!
//! Start reading at [`domain::Notifies`], what each event gives reason to send. A consumed event becomes a row for each
//! channel and a job, in one transaction ([`consumers`]); the job asks user-service for the contact, renders the message
//! ([`templates`]) and sends it ([`app::SendNotification`], [`clients`]). A message that was interrupted is sent again with
//! the same `Message-ID`.
//!
//! Nothing waits for this service: without it the shop sells as before.

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
pub mod templates;
pub mod workers;

use chassis::{BoxError, Service, ServiceContext};
use sqlx::{PgPool, migrate::Migrator};
use utoipa_axum::router::OpenApiRouter;

use crate::config::Config;

pub use self::state::AppState;

pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations/notification");

#[derive(Debug)]
pub struct NotificationService;

impl Service for NotificationService {
    const NAME: &'static str = "notification-service";
    const HTTP_PORT: u16 = 8087;
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
        // It publishes nothing; the relay has the inbox and replayed dead letters to see to.
        messaging::start(context, Self::NAME, &[], consumers::consumer(state))?;
        workers::start(state, &context.lifecycle);
        Ok(())
    }
}
