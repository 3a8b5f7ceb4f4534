//! Logging in, refreshing and logging out: what opens, prolongs and ends a session.

use axum::{
    extract::State,
    http::{
        HeaderMap,
        header::{CACHE_CONTROL, USER_AGENT},
    },
    response::IntoResponse,
};
use chassis::{
    Json, Problem,
    http::{ClientAddr, Refusals},
};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Caller, Message};
use crate::{
    AppState,
    app::{self, Client, Credentials, LogInError, RefreshError},
    domain::{ACCESS_LIFETIME, Email, GivenPassword, Grant, RefreshToken},
};

/// How much of a client's name is kept, in characters.
const USER_AGENT_LENGTH: usize = 255;

/// The account, and the proof that it is one's own.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// The account's e-mail address, in any case.
    #[garde(dive)]
    email: Email,
    /// The account's password.
    #[garde(dive)]
    password: GivenPassword,
    /// What an earlier login on this device gave: then strangers who guess the password elsewhere do not keep this device
    /// out. One that is not the account's counts as none.
    #[garde(inner(length(chars, max = 200)))]
    #[schema(max_length = 200, pattern = r"^[^\u0000]*$", example = device_token_example)]
    device_token: Option<String>,
}

/// What a session goes on with.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The newest refresh token of the session.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*$",
        example = "5e3c1b2a4f6d7e8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708"
    )]
    refresh_token: String,
}

/// The tokens of a session: one to be sent with every request, one to be exchanged.
#[derive(Serialize, ToSchema)]
pub struct TokenPair {
    /// What goes into `Authorization: Bearer ..`.
    #[schema(
        pattern = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
        max_length = 4096,
        example = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.e30.signature"
    )]
    pub(super) access_token: String,
    /// Gets the next pair, within 7 days.
    #[schema(max_length = 200, example = "5e3c1b2a4f6d7e8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708")]
    pub(super) refresh_token: String,
    /// Always `Bearer`.
    #[schema(pattern = "^Bearer$", example = "Bearer")]
    pub(super) token_type: &'static str,
    /// How long the access token counts, in seconds.
    #[schema(minimum = 1, maximum = 900, example = 900)]
    pub(super) expires_in: i64,
    /// What this device is known by at its next login, for 180 days. A refresh gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 200, example = device_token_example)]
    pub(super) device_token: Option<String>,
}

impl From<Grant> for TokenPair {
    fn from(grant: Grant) -> Self {
        Self {
            access_token: grant.access_token,
            refresh_token: grant.refresh_token.into_text(),
            token_type: "Bearer",
            expires_in: ACCESS_LIFETIME.whole_seconds(),
            device_token: grant.device_token,
        }
    }
}

/// Log in
///
/// Opens a session; of more than 20 of an account, the one that was used longest ago ends. After 10 failures for an e-mail address, known or not, or 100 from a client address, within
/// 5 minutes, further attempts get 429, also with the right password. So do successful logins, after 60 with an e-mail
/// address or 600 from a client address within 10 minutes. A device that shows the token of an earlier login is not held
/// up by the failures of others, and has 10 of its own.
#[utoipa::path(
    post, path = "/api/v1/login", operation_id = "log_in", tag = "session",
    request_body = LogIn,
    responses(
        (status = 200, description = "Logged in", body = TokenPair),
        Refusals<LogInError>,
    )
)]
pub async fn log_in(
    State(state): State<AppState>,
    address: ClientAddr,
    headers: HeaderMap,
    Json(body): Json<LogIn>,
) -> Result<impl IntoResponse, Problem> {
    let credentials =
        Credentials { email: body.email, password: body.password, device_token: body.device_token };
    let client = Client { address, user_agent: user_agent(&headers) };
    let grant = app::log_in(&state, credentials, client).await?;
    Ok(unstored(TokenPair::from(grant)))
}

/// Refresh
///
/// Exchanges a refresh token for the next pair. Within 20 seconds of its first use a token gets the same successor
/// again, so that tabs which refresh at once stay logged in; after that, using it again ends the session. A session ends
/// for good 90 days after its login.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", operation_id = "refresh", tag = "session",
    request_body = Refresh,
    responses(
        (status = 200, description = "The session goes on", body = TokenPair),
        Refusals<RefreshError>,
    )
)]
pub async fn refresh(
    State(state): State<AppState>,
    Json(body): Json<Refresh>,
) -> Result<impl IntoResponse, Problem> {
    let grant = app::refresh(&state, RefreshToken::new(body.refresh_token)).await?;
    Ok(unstored(TokenPair::from(grant)))
}

/// Log out
///
/// Ends the session: its tokens are refused here at once and by every other service within seconds.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", operation_id = "log_out", tag = "session",
    security(("token" = [])),
    responses((status = 200, description = "Logged out", body = Message))
)]
pub async fn log_out(State(state): State<AppState>, caller: Caller) -> Result<impl IntoResponse, Problem> {
    app::end_session(&state, caller.account.id, caller.session).await?;
    Ok(axum::Json(Message { message: "Logged out" }))
}

/// Tokens must not stay in any cache (RFC 6749, 5.1).
pub(super) fn unstored(tokens: impl Serialize) -> impl IntoResponse {
    ([(CACHE_CONTROL, "no-store")], axum::Json(tokens))
}

pub(super) fn device_token_example() -> String {
    "0f".repeat(64)
}

fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(USER_AGENT)?.as_bytes());
    Some(text.chars().take(USER_AGENT_LENGTH).collect())
}
