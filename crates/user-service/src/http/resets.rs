//! Getting back into an account whose password nobody knows any more.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use chassis::{
    Json, Problem,
    http::{ClientAddr, Refusals},
};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Message, emails::mail_token_example};
use crate::{
    AppState,
    app::{self, RequestResetError, ResetPasswordError},
    domain::{Email, MailToken, NewPassword},
};

/// Which account it is.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgotPassword {
    /// The account's e-mail address, in any case.
    #[garde(dive)]
    email: Email,
}

/// What was sent to the account's address, and the password to be had.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    /// The token of the e-mail; it counts once, for 30 minutes.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000]*$", example = mail_token_example)]
    token: String,
    /// What the password is to be: 8 to 128 characters, and nothing that is guessed first.
    #[garde(dive)]
    new_password: NewPassword,
}

/// Ask for a password reset
///
/// Sends a token to the address if there is an account with it. Neither the answer nor the time it takes says whether there
/// is one.
#[utoipa::path(
    post, path = "/api/v1/auth/forgot-password", operation_id = "forgot_password", tag = "account",
    request_body = ForgotPassword,
    responses(
        (status = 202, description = "If there is such an account, an e-mail is on its way", body = Message),
        Refusals<RequestResetError>,
    )
)]
pub async fn forgot_password(
    State(state): State<AppState>,
    client: ClientAddr,
    Json(body): Json<ForgotPassword>,
) -> Result<impl IntoResponse, Problem> {
    app::request_reset(&state, body.email, client).await?;
    let message = "If there is an account with this address, an e-mail with a token is on its way";
    Ok((StatusCode::ACCEPTED, axum::Json(Message { message })))
}

/// Reset the password
///
/// Replaces the password by the token of an e-mail, and ends all sessions. The address counts as verified from now on.
#[utoipa::path(
    post, path = "/api/v1/auth/reset-password", operation_id = "reset_password", tag = "account",
    request_body = PasswordReset,
    responses(
        (status = 200, description = "The password is the new one; all sessions have ended", body = Message),
        Refusals<ResetPasswordError>,
    )
)]
pub async fn reset_password(
    State(state): State<AppState>,
    client: ClientAddr,
    Json(body): Json<PasswordReset>,
) -> Result<impl IntoResponse, Problem> {
    app::reset_password(&state, MailToken::new(body.token), body.new_password, client).await?;
    Ok(axum::Json(Message { message: "Password changed; all sessions have ended" }))
}
