//! A session goes on: its newest refresh token is exchanged for the next.

use super::{end_sessions::commit_ended, log_in::sign};
use crate::{
    AppState,
    domain::{Grant, RefreshToken, TokenStatus, token_status},
    store::sessions::{self, StoredToken},
};

#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token was never given out, was spent long ago, or its session has ended or expired.
    #[error("the refresh token does not count")]
    Refused,
    #[error(transparent)]
    Sign(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Exchanges a refresh token for its successor. A token that was spent a moment ago gets the same one again, so
/// that tabs which refresh at once all stay logged in; one that was spent earlier is in two hands, and ends the
/// session.
pub async fn refresh(state: &AppState, token: RefreshToken) -> Result<Grant, RefreshError> {
    let mut db = state.db.acquire().await?;
    let stored = sessions::find_token(&mut db, &token.hash()).await?.ok_or(RefreshError::Refused)?;
    let refresh_token = match token_status(stored.used_at, stored.now) {
        TokenStatus::Unspent => {
            let successor = state.refresh.token(&stored.salt, stored.n + 1);
            let rotated = sessions::rotate_refresh_chain(&mut db, &stored, &successor.hash()).await?;
            rotated.then_some(successor)
        }
        TokenStatus::JustSpent => {
            let successor = stored.successor.as_deref().unwrap_or_default();
            state.refresh.token_again(&stored.salt, stored.n + 1, successor)
        }
        TokenStatus::Reused => {
            drop(db);
            return end_stolen(state, &stored).await;
        }
    };
    let refresh_token = refresh_token.ok_or(RefreshError::Refused)?;
    let access_token = sign(state, stored.sid, &stored.account)?;
    Ok(Grant { access_token, refresh_token, device_token: None })
}

async fn end_stolen(state: &AppState, stored: &StoredToken) -> Result<Grant, RefreshError> {
    tracing::warn!(user.id = %stored.account.id, "spent refresh token was shown again: its session was ended");
    let mut tx = state.db.begin().await?;
    let ended = sessions::delete_session(&mut tx, stored.account.id, stored.session).await?;
    commit_ended(state, tx, ended).await?;
    Err(RefreshError::Refused)
}
