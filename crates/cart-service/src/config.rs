//! What cart-service can be told from outside.

use chassis::{Common, Configuration, Faults, Grpc};
use clap::Args;

/// Its flags, which are environment variables as well.
#[derive(Debug, Clone, Args)]
pub struct Config {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    grpc: Grpc,
    /// Where product-service answers gRPC.
    #[arg(long, env, default_value = "http://product-service:9082")]
    pub product_grpc_url: String,
}

impl Configuration for Config {
    fn common(&self) -> &Common {
        &self.common
    }

    fn grpc(&self) -> Option<&Grpc> {
        Some(&self.grpc)
    }

    fn check(&self, faults: &mut Faults) {
        faults.check_grpc_url("PRODUCT_GRPC_URL", &self.product_grpc_url);
    }
}
