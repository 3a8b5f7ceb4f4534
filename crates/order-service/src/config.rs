//! The settings of order-service.

use std::time::Duration;

use chassis::{Common, ConfigErrors, Configuration, Database, config::Switch, limit::RateLimit};
use clap::{ArgAction, Args, builder::BoolishValueParser};
use contracts::UserId;

use crate::domain::HoldLimits;

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
    /// Units of one product that one buyer may have in unpaid orders; 0 for no limit.
    #[arg(long, env, default_value_t = 1000)]
    pub max_held_units_per_product: u32,
    /// Units of all products together that one buyer may have in unpaid orders; 0 for no limit. The default is 100 lines of
    /// 20 units, or two products at the limit of one.
    #[arg(long, env, default_value_t = 2000)]
    pub max_held_units_per_buyer: u32,
    /// Orders that one buyer may place at once, and cancel at once, in each process; 0 for no limit.
    #[arg(long, env, default_value_t = 40)]
    pub order_burst: u32,
    /// Orders that one buyer may place within an hour for long, and cancel; 0 for no limit.
    #[arg(long, env, default_value_t = 240)]
    pub orders_per_hour: u32,
    /// How long somebody has to pay who never paid an order before, in minutes: never longer than `PAYMENT_EXPIRY_MINUTES`;
    /// 0 for as long as everybody.
    #[arg(long, env, default_value_t = 15, value_parser = clap::value_parser!(u64).range(0..=10_080))]
    pub payment_expiry_minutes_new_buyer: u64,
    /// Whether only accounts with a verified e-mail address may order. It needs notification-service, which sends the tokens.
    #[arg(long, env, default_value = "false", value_parser = BoolishValueParser::new(), action = ArgAction::Set)]
    pub require_verified_email: bool,
    /// Where product-service is called over gRPC: its base URL.
    #[arg(long, env, default_value = "http://product-service:9082")]
    pub product_grpc_url: String,
    /// Where cart-service is called over gRPC: its base URL.
    #[arg(long, env, default_value = "http://cart-service:9083")]
    pub cart_grpc_url: String,
    /// Where payment-service is called over gRPC: its base URL.
    #[arg(long, env, default_value = "http://payment-service:9085")]
    pub payment_grpc_url: String,
    /// Where delivery-service is called over gRPC: its base URL.
    #[arg(long, env, default_value = "http://delivery-service:9086")]
    pub delivery_grpc_url: String,
}

impl Config {
    /// How much one buyer may hold without having paid. A load test, with `RATE_LIMIT=off`, buys with few accounts.
    pub fn limits(&self) -> HoldLimits {
        let orders = self.max_open_orders_per_user;
        match self.common.rate_limit {
            Switch::On => HoldLimits {
                orders,
                units_of_product: self.max_held_units_per_product,
                units: self.max_held_units_per_buyer,
            },
            Switch::Off => HoldLimits { orders, units_of_product: 0, units: 0 },
        }
    }

    /// How often one buyer may order, and how often cancel.
    pub fn order_rate(&self) -> RateLimit<UserId> {
        self.common.rate_limit.limit(self.order_burst, self.orders_per_hour, Duration::from_hours(1))
    }

    /// How long somebody has to pay who never paid before; zero for as long as everybody.
    pub const fn new_buyer_expiry(&self) -> Duration {
        Duration::from_mins(self.payment_expiry_minutes_new_buyer)
    }
}

impl Configuration for Config {
    fn common(&self) -> &Common {
        &self.common
    }

    fn database(&self) -> Option<(&Database, &str)> {
        Some((&self.database, &self.db_name))
    }

    fn check(&self, errors: &mut ConfigErrors) {
        let urls = [
            ("PRODUCT_GRPC_URL", &self.product_grpc_url),
            ("CART_GRPC_URL", &self.cart_grpc_url),
            ("PAYMENT_GRPC_URL", &self.payment_grpc_url),
            ("DELIVERY_GRPC_URL", &self.delivery_grpc_url),
        ];
        for (name, url) in urls {
            errors.check_grpc_url(name, url);
        }
    }
}
