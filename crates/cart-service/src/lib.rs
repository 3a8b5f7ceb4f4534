//! cart-service: what its users mean to buy.
//!
//! Start reading at [`store`]: a cart is a hash in Redis, and every change of it one script. Prices are asked of
//! product-service and kept for a second ([`clients`], [`app::view_cart()`]); while that is down the cached ones are shown.
//! order-service reads carts ([`grpc`]), and what was bought is taken out once it is paid ([`consumers`]).

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

use chassis::{BoxError, Service, ServiceContext, broadcast::Broadcast, database::PgPool};
use contracts::catalogue::{CHANNEL, changed};
use tonic::service::Routes;
use utoipa_axum::router::OpenApiRouter;

use crate::config::Config;

pub use self::state::AppState;

#[derive(Debug)]
pub struct CartService;

impl Service for CartService {
    const NAME: &'static str = "cart-service";
    const HTTP_PORT: u16 = 8083;
    const GRPC_PORT: Option<u16> = Some(9083);
    type Config = Config;
    type State = AppState;

    fn http() -> OpenApiRouter<AppState> {
        http::router()
    }

    fn grpc(state: &AppState) -> Option<Routes> {
        Some(grpc::routes(state))
    }

    async fn state(
        config: Config,
        _: Option<PgPool>,
        context: &ServiceContext,
    ) -> Result<AppState, BoxError> {
        AppState::new(&config, context)
    }

    async fn start(state: &AppState, context: &ServiceContext) -> Result<(), BoxError> {
        // Over the connection that serves the carts: asking heals it after a restart of Redis, before readiness sends
        // anybody here.
        let carts = state.redis.clone();
        context.health.watch(&context.lifecycle, "carts", move || {
            let mut carts = carts.clone();
            async move { Ok(redis::cmd("PING").exec_async(&mut carts).await?) }
        });
        let redis = context.common.redis.client(1)?;
        let products = state.products.clone();
        Broadcast::listen(context.common.redis.client(0)?, CHANNEL, &context.lifecycle, move |message| {
            products.changed(&changed(&message.unwrap_or_default()));
        });
        let consumer = consumers::consumer(state);
        context.lifecycle.spawn("consumer", consumer.run(redis, context.lifecycle.shutdown()));
        Ok(())
    }
}
