//! The routes, a file per resource.

mod addresses;
mod caller;
mod emails;
mod login;
mod profile;
mod register;
mod resets;
mod sessions;
mod users;

use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub use caller::Caller;

use crate::AppState;

/// What the document says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(description = "Accounts, logins, sessions and address books."),
    tags(
        (name = "account", description = "One's own account"),
        (name = "session", description = "Logging in, refreshing, logging out"),
        (name = "address", description = "One's address book"),
        (name = "user", description = "Accounts, for administrators"),
    )
)]
struct Document;

/// That something was done, for a person to read.
#[derive(Debug, Serialize, ToSchema)]
pub struct Message {
    /// What was done, as a sentence for people.
    #[schema(max_length = 200, example = "Logged out")]
    message: &'static str,
}

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(register::register))
        .routes(routes!(login::log_in))
        .routes(routes!(login::refresh))
        .routes(routes!(login::log_out))
        .routes(routes!(profile::get_profile, profile::update_profile))
        .routes(routes!(profile::change_password))
        .routes(routes!(emails::verify_email))
        .routes(routes!(emails::resend_verification))
        .routes(routes!(emails::change_email))
        .routes(routes!(resets::forgot_password))
        .routes(routes!(resets::reset_password))
        .routes(routes!(sessions::list_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(users::list_users))
        .routes(routes!(users::get_user, users::update_user))
        .routes(routes!(users::end_user_sessions))
        .routes(routes!(addresses::list_addresses, addresses::add_address))
        .routes(routes!(addresses::replace_address, addresses::delete_address))
}
