//! Who is asking.

use axum::{extract::FromRequestParts, http::request::Parts};
use chassis::{Problem, User};
use contracts::SessionId;

use crate::{App, app, domain::Account};

/// Someone who is logged in, in a session that lives at this moment. The other services take [`chassis::User`], which
/// knows of ended sessions by hearsay.
#[derive(Clone)]
pub struct Caller {
    /// The session.
    pub session: SessionId,
    /// The account as it is now, which may be newer than the token.
    pub account: Account,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let User(claims) = User::from_request_parts(parts, app).await?;
        let (session, account) = app::identify::identify(app, &claims).await?;
        Ok(Self { session, account })
    }
}
