//! A session goes on: its newest refresh token is exchanged for the next.

use crate::{
    App,
    domain::{Grant, RefreshToken, Standing, standing},
    store::sessions::{self, Link},
};

/// Why a session does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token was never given out, was spent long ago, or its session has ended or expired.
    #[error("the refresh token does not count")]
    Refused,
    /// The token was not signed.
    #[error(transparent)]
    Sign(#[from] jsonwebtoken::errors::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl App {
    /// Exchanges a refresh token for its successor. A token that was spent a moment ago gets the same one again, so
    /// that tabs which refresh at once all stay logged in; one that was spent earlier is in two hands, and ends the
    /// session.
    pub async fn refresh(&self, token: RefreshToken) -> Result<Grant, RefreshError> {
        let mut db = self.db.acquire().await?;
        let link = sessions::find_link(&mut db, &token.hash()).await?.ok_or(RefreshError::Refused)?;
        let successor = self.refresh.token(&link.salt, link.n + 1);
        match standing(link.used_at, link.now) {
            Standing::Unspent => {
                if !sessions::update_chain(&mut db, link.session, link.n, &successor.hash()).await? {
                    return Err(RefreshError::Refused);
                }
            }
            Standing::JustSpent => {}
            Standing::Reused => {
                drop(db);
                return self.end_stolen(&link).await;
            }
        }
        Ok(Grant { access_token: self.sign(link.sid, &link.account)?, refresh_token: successor })
    }

    async fn end_stolen(&self, link: &Link) -> Result<Grant, RefreshError> {
        tracing::warn!(user.id = %link.account.id, "a spent refresh token was shown again: its session ends");
        let mut tx = self.db.begin().await?;
        let ended = sessions::delete_session(&mut tx, link.account.id, link.session).await?;
        self.commit_ended(tx, ended).await?;
        Err(RefreshError::Refused)
    }
}
