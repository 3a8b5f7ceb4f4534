//! Runs cart-service.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::run::<cart_service::CartService>()
}
