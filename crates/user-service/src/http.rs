//! The routes, a file per resource.

mod addresses;
mod caller;
mod login;
mod profile;
mod register;
mod sessions;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use caller::Caller;

use crate::App;

/// That something was done, for a person to read.
#[derive(Debug, Serialize, ToSchema)]
pub struct Message {
    /// What was done.
    #[schema(example = "Logged out")]
    message: &'static str,
}

/// All routes of user-service.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register::register))
        .routes(routes!(login::log_in))
        .routes(routes!(login::refresh))
        .routes(routes!(login::log_out))
        .routes(routes!(profile::get_profile, profile::update_profile))
        .routes(routes!(profile::change_password))
        .routes(routes!(sessions::list_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(addresses::list_addresses, addresses::add_address))
        .routes(routes!(addresses::replace_address, addresses::delete_address))
}
