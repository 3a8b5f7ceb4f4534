//! Who is asking: the account and the session of an access token.

use axum::{extract::FromRequestParts, http::request::Parts};
use chassis::{Problem, User};
use contracts::SessionId;

use crate::{AppState, app, domain::Account};

/// Someone who is logged in, in a session that lives at this moment. The other services take [`chassis::User`], which
/// knows of ended sessions by hearsay.
#[derive(Clone)]
pub struct Caller {
    pub session: SessionId,
    /// The account as it is now, which may be newer than the token.
    pub account: Account,
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let User(claims) = User::from_request_parts(parts, state).await?;
        let (session, account) = app::identify(state, &claims).await?;
        Ok(Self { session, account })
    }
}
