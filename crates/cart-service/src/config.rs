//! The configuration of cart-service.

use std::time::Duration;

use chassis::{Common, ConfigErrors, Configuration, Grpc, limit::RateLimit};
use clap::Args;
use contracts::UserId;

/// Its flags, which are environment variables as well.
#[derive(Debug, Clone, Args)]
pub struct Config {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    grpc: Grpc,
    /// Changes that one user may make to the cart at once, in each process; 0 for no limit.
    #[arg(long, env, default_value_t = 100)]
    pub cart_write_burst: u32,
    /// Changes that one user may make to the cart within a second for long; 0 for no limit.
    #[arg(long, env, default_value_t = 20)]
    pub cart_writes_per_second: u32,
    /// Where product-service answers gRPC.
    #[arg(long, env, default_value = "http://product-service:9082")]
    pub product_grpc_url: String,
    /// For how many milliseconds a cart shows what product-service said of a product; 0 to ask for each cart.
    #[arg(long, env, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(..=1000))]
    pub cart_catalogue_max_age_ms: u64,
}

impl Config {
    /// How often one user may change the cart.
    pub fn write_rate(&self) -> RateLimit<UserId> {
        self.common.rate_limit.limit(
            self.cart_write_burst,
            self.cart_writes_per_second,
            Duration::from_secs(1),
        )
    }
}

impl Configuration for Config {
    fn common(&self) -> &Common {
        &self.common
    }

    fn grpc(&self) -> Option<&Grpc> {
        Some(&self.grpc)
    }

    fn check(&self, errors: &mut ConfigErrors) {
        errors.check_grpc_url("PRODUCT_GRPC_URL", &self.product_grpc_url);
    }
}
