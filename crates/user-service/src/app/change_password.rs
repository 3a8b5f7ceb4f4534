//! Someone takes another password, and is logged out everywhere else.

use contracts::{SessionId, UserId};

use super::{ConfirmError, HashError};
use crate::{
    App,
    domain::{GivenPassword, NewPassword},
    store::{accounts, sessions},
};

/// Why the password is still the old one.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The old password was not confirmed.
    #[error(transparent)]
    Confirm(#[from] ConfirmError),
    /// The new password was not hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl App {
    /// Replaces the password and ends all sessions but the one that asks.
    pub async fn change_password(
        &self,
        id: UserId,
        session: SessionId,
        old: GivenPassword,
        new: NewPassword,
    ) -> Result<(), ChangePasswordError> {
        let confirmed = self.confirm_password(id, old).await?;
        let new = self.hasher.hash(new).await?;
        let mut tx = self.db.begin().await?;
        if !accounts::update_password(&mut tx, id, &confirmed, &new).await? {
            return Err(ConfirmError::WrongPassword.into());
        }
        let ended = sessions::delete_other_sessions(&mut tx, id, session).await?;
        Ok(self.commit_ended(tx, ended).await?)
    }
}
