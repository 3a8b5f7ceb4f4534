//! Someone takes another password, and is logged out everywhere else.

use contracts::SessionId;

use super::{
    confirm_password::{ConfirmPasswordError, confirm_password},
    end_sessions::commit_ended,
    hash::{HashError, Party},
};
use crate::{
    App,
    domain::{Account, GivenPassword, NewPassword},
    store::{accounts, sessions},
};

/// Why the password is still the old one.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The new password is one that is guessed first.
    #[error("the password is too common")]
    TooCommon,
    /// The old password was not confirmed.
    #[error(transparent)]
    Confirm(#[from] ConfirmPasswordError),
    /// The new password was not hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Replaces the password and ends all sessions but the one that asks.
pub async fn change_password(
    app: &App,
    account: &Account,
    session: SessionId,
    old: GivenPassword,
    new: NewPassword,
) -> Result<(), ChangePasswordError> {
    if new.is_common(&account.username, &account.email) {
        return Err(ChangePasswordError::TooCommon);
    }
    let id = account.id;
    let confirmed = confirm_password(app, id, old).await?;
    let new = app.hasher.hash(Party::Account(id), new).await?;
    let mut tx = app.db.begin().await?;
    if !accounts::update_password(&mut tx, id, &confirmed, &new).await? {
        return Err(ConfirmPasswordError::WrongPassword.into());
    }
    let ended = sessions::delete_other_sessions(&mut tx, id, session).await?;
    Ok(commit_ended(app, tx, ended).await?)
}
