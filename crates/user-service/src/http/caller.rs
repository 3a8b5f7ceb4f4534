//! Who is asking: the account and the session of an access token.

use axum::{extract::FromRequestParts, http::request::Parts};
use chassis::{Admin, Codes, Problem, Refuses, Role, User};
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

/// An administrator, by the token and by what the account is at this moment.
#[derive(Clone)]
pub struct Administrator(pub Account);

impl Refuses for Administrator {
    const CODES: Codes = Admin::CODES;
}

impl FromRequestParts<AppState> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Admin::from_request_parts(parts, state).await?;
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.account.role == Role::Admin {
            Ok(Self(caller.account))
        } else {
            Err(Problem::new(chassis::Code::Forbidden, "Only an administrator may do this."))
        }
    }
}
