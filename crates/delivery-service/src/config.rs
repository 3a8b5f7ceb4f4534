//! What delivery-service can be told from outside.

use chassis::{Common, Configuration, Database, Grpc};
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
}
