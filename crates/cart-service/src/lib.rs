//! cart-service: what its users mean to buy.
//!
//! Start reading at [`store`]: a cart is a hash in Redis, and every change of it one script. Prices are asked of
//! product-service at every look ([`clients`], [`app::view_cart`]); while that is down the last known ones are shown.
//! order-service reads carts ([`grpc`]), and what was bought is taken out once it is paid ([`consumers`]).

pub mod app;
pub mod clients;
pub mod config;
pub mod consumers;
pub mod domain;
mod error;
pub mod grpc;
pub mod http;
pub mod store;

use std::{sync::Arc, time::Duration};

use chassis::{BoxError, Kit, Service, database::PgPool, grpc::Peer, limit::RateLimit};
use contracts::UserId;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tonic::service::Routes;
use utoipa_axum::router::OpenApiRouter;

use crate::{clients::Products, config::Config};

/// How long Redis may take to answer.
const REDIS_DEADLINE: Duration = Duration::from_secs(1);

/// The service as the chassis runs it.
#[derive(Debug)]
pub struct CartService;

/// What its handlers share.
#[derive(Clone)]
pub struct App {
    /// Where carts are kept: DB 0. It connects, and connects again, by itself.
    pub redis: ConnectionManager,
    /// Asked for names, prices and stock.
    pub products: Products,
    /// How often one user may change the cart.
    pub write_rate: Arc<RateLimit<UserId>>,
}

impl Service for CartService {
    const NAME: &'static str = "cart-service";
    const HTTP_PORT: u16 = 8083;
    const GRPC_PORT: Option<u16> = Some(9083);
    type Config = Config;
    type App = App;

    fn http() -> OpenApiRouter<App> {
        http::router()
    }

    fn grpc(app: &App) -> Option<Routes> {
        Some(grpc::routes(app))
    }

    async fn app(config: Config, _: Option<PgPool>, kit: &Kit) -> Result<App, BoxError> {
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(REDIS_DEADLINE))
            .set_response_timeout(Some(REDIS_DEADLINE))
            .set_number_of_retries(1);
        let redis = ConnectionManager::new_lazy_with_config(kit.common.redis.client(0)?, settings)?;
        let peer = Peer::follow(&config.product_grpc_url, &kit.common.internal_secret, &kit.lifecycle)?;
        Ok(App { redis, products: Products::new(peer), write_rate: Arc::new(config.write_rate()) })
    }

    async fn start(app: &App, kit: &Kit) -> Result<(), BoxError> {
        // Over the connection that serves the carts: asking heals it after a restart of Redis, before readiness sends
        // anybody here.
        let carts = app.redis.clone();
        kit.health.watch(&kit.lifecycle, "carts", move || {
            let mut carts = carts.clone();
            async move { Ok(redis::cmd("PING").exec_async(&mut carts).await?) }
        });
        let redis = kit.common.redis.client(1)?;
        let consumer = consumers::consumer(app);
        kit.lifecycle.spawn("consumer", consumer.run(redis, kit.lifecycle.shutdown()));
        Ok(())
    }
}
