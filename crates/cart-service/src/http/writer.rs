//! Who changes a cart: its owner, and not too often.

use axum::{extract::FromRequestParts, http::request::Parts};
use chassis::{Codes, Problem, Refuses, User, limit::TooOften};
use contracts::UserId;

use crate::AppState;

/// Somebody who is logged in and changes the own cart, not too often.
#[derive(Debug, Clone, Copy)]
pub(super) struct CartWriter(pub UserId);

impl Refuses for CartWriter {
    const CODES: Codes = TooOften::CODES;
}

impl FromRequestParts<AppState> for CartWriter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let user = <User as FromRequestParts<AppState>>::from_request_parts(parts, state).await?;
        state.write_rate.check(&user.id())?;
        Ok(Self(user.id()))
    }
}
