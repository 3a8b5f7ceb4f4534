//! Runs product-service.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::run::<product_service::ProductService>()
}
