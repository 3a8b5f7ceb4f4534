//! What order-service can be told from outside.

use chassis::{Common, Configuration, Database, Faults};
use clap::Args;

/// Its flags, which are environment variables as well.
#[derive(Debug, Clone, Args)]
pub struct Config {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    database: Database,
    /// The name of its database.
    #[arg(long, env = "ORDER_DB_NAME", default_value = "order_db")]
    db_name: String,
    /// Unpaid orders that one buyer may have; 0 for no limit.
    #[arg(long, env, default_value_t = 20)]
    pub max_open_orders_per_user: u32,
    /// gRPC base URL of product-service.
    #[arg(long, env, default_value = "http://product-service:9082")]
    pub product_grpc_url: String,
    /// gRPC base URL of cart-service.
    #[arg(long, env, default_value = "http://cart-service:9083")]
    pub cart_grpc_url: String,
    /// gRPC base URL of payment-service.
    #[arg(long, env, default_value = "http://payment-service:9085")]
    pub payment_grpc_url: String,
    /// gRPC base URL of delivery-service.
    #[arg(long, env, default_value = "http://delivery-service:9086")]
    pub delivery_grpc_url: String,
}

impl Configuration for Config {
    fn common(&self) -> &Common {
        &self.common
    }

    fn database(&self) -> Option<(&Database, &str)> {
        Some((&self.database, &self.db_name))
    }

    fn check(&self, faults: &mut Faults) {
        let urls = [
            ("PRODUCT_GRPC_URL", &self.product_grpc_url),
            ("CART_GRPC_URL", &self.cart_grpc_url),
            ("PAYMENT_GRPC_URL", &self.payment_grpc_url),
            ("DELIVERY_GRPC_URL", &self.delivery_grpc_url),
        ];
        for (name, url) in urls {
            faults.check_grpc_url(name, url);
        }
    }
}
