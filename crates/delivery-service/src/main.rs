//! Runs delivery-service.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::run::<delivery_service::DeliveryService>()
}
