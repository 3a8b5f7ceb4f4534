//! Runs user-service.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::run::<user_service::UserService>()
}
