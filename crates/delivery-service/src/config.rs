//! The configuration of delivery-service.

use chassis::{Common, ConfigErrors, Configuration, Database, Grpc};
use clap::Args;

/// Its flags, which are environment variables as well.
#[derive(Debug, Clone, Args)]
pub struct Config {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    grpc: Grpc,
    /// The name of its database.
    #[arg(long, env = "DELIVERY_DB_NAME", default_value = "delivery_db")]
    db_name: String,
    /// Where payment-service is called over gRPC: its base URL.
    #[arg(long, env, default_value = "http://payment-service:9085")]
    pub payment_grpc_url: String,
}

impl Configuration for Config {
    fn common(&self) -> &Common {
        &self.common
    }

    fn grpc(&self) -> Option<&Grpc> {
        Some(&self.grpc)
    }

    fn database(&self) -> Option<(&Database, &str)> {
        Some((&self.database, &self.db_name))
    }

    fn check(&self, errors: &mut ConfigErrors) {
        errors.check_grpc_url("PAYMENT_GRPC_URL", &self.payment_grpc_url);
    }
}
