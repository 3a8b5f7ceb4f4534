//! One's own account: reading it, renaming it, changing its password.

use axum::{extract::State, response::IntoResponse};
use chassis::{Json, Problem, Role, http::Refusals};
use contracts::UserId;
use garde::Validate;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::{
    Caller,
    login::{TokenPair, device_token_example, unstored},
};
use crate::{
    AppState,
    app::{self, ChangePasswordError, ProfileChange, UpdateProfileError},
    domain::{Account, Email, GivenPassword, NewPassword, Username},
};

/// One's own account, as nobody else sees it.
#[derive(Serialize, ToSchema)]
pub struct Profile {
    /// The number of the account.
    id: UserId,
    /// The same as `id`, by the name that tokens have for it.
    #[serde(rename = "userID")]
    user_id: UserId,
    /// The name of the account, which no other one has.
    #[schema(min_length = 3, max_length = 50, pattern = "^[A-Za-z0-9_.-]+$", example = "ani")]
    username: String,
    /// The e-mail address of the account.
    #[schema(format = "email", max_length = 254, example = "ani@example.com")]
    email: String,
    /// Whether its owner has shown that the address is theirs.
    #[schema(example = false)]
    email_verified: bool,
    /// What the account may do.
    role: Role,
    /// When the account was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05.678901Z")]
    created_at: OffsetDateTime,
}

impl From<Account> for Profile {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            user_id: account.id,
            username: account.username,
            email: account.email,
            email_verified: account.email_verified,
            role: account.role,
            created_at: account.created_at,
        }
    }
}

/// What is to change; what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileUpdate {
    /// The name to be had from now on.
    #[garde(dive)]
    username: Option<Username>,
    /// The new e-mail address; then `current_password` is needed.
    #[garde(dive)]
    email: Option<Email>,
    /// The account's password; it has to be right wherever it is given.
    #[garde(dive)]
    #[schema(
        value_type = Option<String>,
        format = "password",
        min_length = 1,
        max_length = 128,
        pattern = r"^[^\u0000]*$",
        example = "correct horse battery",
        extensions(("x-needed-with" = json!("email")))
    )]
    current_password: Option<GivenPassword>,
}

/// The old password and the new.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The account's password as it is now.
    #[garde(dive)]
    old_password: GivenPassword,
    /// What it is to be: 8 to 128 characters, and nothing that is guessed first.
    #[garde(dive)]
    new_password: NewPassword,
}

/// That the password is the new one, and the tokens of the session from now on.
#[derive(Serialize, ToSchema)]
pub struct PasswordChanged {
    /// A sentence for people.
    #[schema(max_length = 200, example = "Password changed; all other sessions have ended")]
    message: &'static str,
    /// Goes into `Authorization: Bearer ..`; the one that asked does not count any more.
    #[schema(
        pattern = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
        max_length = 4096,
        example = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.e30.signature"
    )]
    access_token: String,
    /// Gets the next pair, within 7 days; those before do not count any more.
    #[schema(max_length = 200, example = "5e3c1b2a4f6d7e8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708")]
    refresh_token: String,
    /// Always `Bearer`.
    #[schema(pattern = "^Bearer$", example = "Bearer")]
    token_type: &'static str,
    /// How long the access token counts, in seconds.
    #[schema(minimum = 1, maximum = 900, example = 900)]
    expires_in: i64,
    /// What this device is known by at its next login, for 180 days. Those before do not count any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200, example = device_token_example)]
    device_token: Option<String>,
}

impl From<TokenPair> for PasswordChanged {
    fn from(tokens: TokenPair) -> Self {
        Self {
            message: "Password changed; all other sessions have ended",
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            token_type: tokens.token_type,
            expires_in: tokens.expires_in,
            device_token: tokens.device_token,
        }
    }
}

/// Get profile
///
/// One's own account as it is now.
#[utoipa::path(
    get, path = "/api/v1/auth/profile", operation_id = "get_profile", tag = "account",
    security(("token" = [])),
    responses((status = 200, description = "The account", body = Profile))
)]
pub async fn get_profile(caller: Caller) -> impl IntoResponse {
    axum::Json(Profile::from(caller.account))
}

/// Update profile
///
/// Changes the name, the e-mail address, or both. Tokens that were given out before keep saying the old until they are
/// refreshed. After 10 wrong passwords within 5 minutes, or 10 attempts with a password within 10 minutes, further ones
/// get 429.
#[utoipa::path(
    put, path = "/api/v1/auth/profile", operation_id = "update_profile", tag = "account",
    security(("token" = [])),
    request_body = ProfileUpdate,
    responses(
        (status = 200, description = "The account as it is now", body = Profile),
        Refusals<UpdateProfileError>,
    )
)]
pub async fn update_profile(
    State(state): State<AppState>,
    caller: Caller,
    Json(body): Json<ProfileUpdate>,
) -> Result<impl IntoResponse, Problem> {
    let change =
        ProfileChange { username: body.username, email: body.email, current_password: body.current_password };
    let account = app::update_profile(&state, &caller.account, change).await?;
    Ok(axum::Json(Profile::from(account)))
}

/// Change password
///
/// Replaces the password, ends all other sessions, and gives new tokens to the one that asks: its old ones are refused
/// like those of an ended session. After 10 wrong passwords within 5 minutes, or 10 attempts within 10 minutes, further
/// ones get 429.
#[utoipa::path(
    post, path = "/api/v1/auth/change-password", operation_id = "change_password", tag = "account",
    security(("token" = [])),
    request_body = PasswordChange,
    responses(
        (status = 200, description = "The password is the new one", body = PasswordChanged),
        Refusals<ChangePasswordError>,
    )
)]
pub async fn change_password(
    State(state): State<AppState>,
    caller: Caller,
    Json(body): Json<PasswordChange>,
) -> Result<impl IntoResponse, Problem> {
    let grant =
        app::change_password(&state, &caller.account, caller.session, body.old_password, body.new_password)
            .await?;
    Ok(unstored(PasswordChanged::from(TokenPair::from(grant))))
}
