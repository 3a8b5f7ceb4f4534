//! One's e-mail address: showing that it is one's own, and taking another.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use chassis::{
    Json, Problem,
    http::{ClientAddr, Refusals},
};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Caller, Message};
use crate::{
    AppState,
    app::{self, ChangeEmailError, ResendVerificationError, VerifyEmailError},
    domain::{Email, GivenPassword, MailToken},
};

/// What was sent to an address.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailVerification {
    /// The token of the e-mail; it counts once, for 24 hours.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000]*$", example = mail_token_example)]
    token: String,
}

/// The address to be had.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailChange {
    /// The new e-mail address.
    #[garde(dive)]
    email: Email,
    /// The account's password.
    #[garde(dive)]
    current_password: GivenPassword,
}

/// Verify an e-mail address
///
/// Shows that the caller reads the address that a token was sent to. If it was asked for by `change-email`, the account has
/// that address from now on, and the former one is told. Tokens of sessions say so (`email_verified`) from their next refresh
/// on.
#[utoipa::path(
    post, path = "/api/v1/auth/verify-email", operation_id = "verify_email", tag = "account",
    request_body = EmailVerification,
    responses(
        (status = 200, description = "The address is verified", body = Message),
        Refusals<VerifyEmailError>,
    )
)]
pub async fn verify_email(
    State(state): State<AppState>,
    client: ClientAddr,
    Json(body): Json<EmailVerification>,
) -> Result<impl IntoResponse, Problem> {
    app::verify_email(&state, MailToken::new(body.token), client).await?;
    Ok(axum::Json(Message { message: "E-mail address verified" }))
}

/// Send a verification again
///
/// Sends another token to the account's address, as registering does. Those that were sent before count as well.
#[utoipa::path(
    post, path = "/api/v1/auth/verify-email/resend", operation_id = "resend_verification", tag = "account",
    security(("token" = [])),
    responses(
        (status = 202, description = "An e-mail is on its way", body = Message),
        Refusals<ResendVerificationError>,
    )
)]
pub async fn resend_verification(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<impl IntoResponse, Problem> {
    app::resend_verification(&state, &caller.account).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Message { message: "An e-mail with a token is on its way" })))
}

/// Change the e-mail address
///
/// Sends a token to the new address. The account keeps the old one until the token comes back by `verify-email`.
#[utoipa::path(
    post, path = "/api/v1/auth/change-email", operation_id = "change_email", tag = "account",
    security(("token" = [])),
    request_body = EmailChange,
    responses(
        (status = 202, description = "An e-mail is on its way to the new address", body = Message),
        Refusals<ChangeEmailError>,
    )
)]
pub async fn change_email(
    State(state): State<AppState>,
    caller: Caller,
    Json(body): Json<EmailChange>,
) -> Result<impl IntoResponse, Problem> {
    app::change_email(&state, &caller.account, body.email, body.current_password).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Message { message: "An e-mail with a token is on its way" })))
}

pub(super) fn mail_token_example() -> String {
    "0f".repeat(32)
}
