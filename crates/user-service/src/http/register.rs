//! Becoming a customer; the only route that makes an account.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use chassis::{
    Json, Problem, Role,
    http::{ClientAddr, Refusals},
};
use contracts::UserId;
use garde::Validate;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    AppState,
    app::{self, NewAccount, RegisterError},
    domain::{Account, Email, NewPassword, Username},
};

/// The account as it shall be.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// A name to be known by: 3 to 50 letters, digits, `_`, `.` or `-`, unique without case.
    #[garde(dive)]
    username: Username,
    /// An e-mail address to log in with, unique without case.
    #[garde(dive)]
    email: Email,
    /// A password of 8 to 128 characters, and nothing that is guessed first: no common password, nor the username or the
    /// e-mail address.
    #[garde(dive)]
    password: NewPassword,
}

/// That there is an account from now on.
#[derive(Serialize, ToSchema)]
pub struct Registered {
    /// A sentence for people.
    #[schema(max_length = 200, example = "Account created")]
    message: &'static str,
    /// The account that was made.
    user: RegisteredUser,
}

/// An account as it was made.
#[derive(Serialize, ToSchema)]
pub struct RegisteredUser {
    /// The number of the account.
    id: UserId,
    /// The name of the account, which no other one has.
    #[schema(min_length = 3, max_length = 50, pattern = "^[A-Za-z0-9_.-]+$", example = "ani")]
    username: String,
    /// The e-mail address of the account.
    #[schema(format = "email", max_length = 254, example = "ani@example.com")]
    email: String,
    /// What the account may do.
    role: Role,
    /// When the account was made.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05.678901Z")]
    created_at: OffsetDateTime,
}

impl From<Account> for RegisteredUser {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            username: account.username,
            email: account.email,
            role: account.role,
            created_at: account.created_at,
        }
    }
}

/// Register
///
/// Makes a customer's account. Its role is always `user`. One network may register 20 in ten minutes.
#[utoipa::path(
    post, path = "/api/v1/register", operation_id = "register", tag = "account",
    request_body = Registration,
    responses(
        (status = 201, description = "The account was made", body = Registered),
        Refusals<RegisterError>,
    )
)]
pub async fn register(
    State(state): State<AppState>,
    client: ClientAddr,
    Json(body): Json<Registration>,
) -> Result<impl IntoResponse, Problem> {
    let new = NewAccount { username: body.username, email: body.email, password: body.password };
    let account = app::register(&state, new, client).await?;
    Ok((StatusCode::CREATED, axum::Json(Registered { message: "Account created", user: account.into() })))
}
