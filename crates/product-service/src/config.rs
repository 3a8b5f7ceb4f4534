//! The configuration of product-service.

use chassis::{Common, Configuration, Database, Grpc, config::AppEnv};
use clap::{Args, builder::BoolishValueParser};

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
    #[arg(long, env = "PRODUCT_DB_NAME", default_value = "product_db")]
    db_name: String,
    /// Whether the first run fills an empty catalogue with 4 categories and 10 products. Outside production it does
    /// unless told otherwise.
    #[arg(long, env, value_parser = BoolishValueParser::new())]
    seed_demo_data: Option<bool>,
}

impl Config {
    /// Whether the first run makes demo data.
    pub fn seeds(&self) -> bool {
        self.seed_demo_data.unwrap_or(self.common.app_env != AppEnv::Production)
    }
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
