//! Runs notification-service.

use std::process::ExitCode;

fn main() -> ExitCode {
    chassis::run::<notification_service::NotificationService>()
}
