//! What the handlers of this service share: built once, cloned for each.

use std::{sync::Arc, time::Duration};

use chassis::{BoxError, ServiceContext, grpc::Peer, limit::RateLimit};
use contracts::UserId;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

use crate::{clients::Products, config::Config};

/// How long Redis may take to answer.
const REDIS_DEADLINE: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct AppState {
    /// Where carts are kept: DB 0. It connects, and connects again, by itself.
    pub redis: ConnectionManager,
    pub products: Products,
    /// How often one user may change the cart.
    pub write_rate: Arc<RateLimit<UserId>>,
}

impl AppState {
    /// Builds the state from the configuration. Nothing runs or connects yet.
    ///
    /// # Errors
    /// If a setting cannot be used, such as an address that is none.
    pub fn new(config: &Config, context: &ServiceContext) -> Result<Self, BoxError> {
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(REDIS_DEADLINE))
            .set_response_timeout(Some(REDIS_DEADLINE))
            .set_number_of_retries(1);
        let redis = ConnectionManager::new_lazy_with_config(context.common.redis.client(0)?, settings)?;
        let peer =
            Peer::follow(&config.product_grpc_url, &context.common.internal_secret, &context.lifecycle)?;
        let max_age = Duration::from_millis(config.cart_catalogue_max_age_ms);
        let products = Products::new(peer, max_age);
        Ok(Self { redis, products, write_rate: Arc::new(config.write_rate()) })
    }
}
