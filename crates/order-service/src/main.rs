//! Runs order-service.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::run::<order_service::OrderService>()
}
