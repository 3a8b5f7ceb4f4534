//! Someone takes another password, and is logged out everywhere else.

use contracts::SessionId;
use uuid::Uuid;

use super::{
    confirm_password::{ConfirmPasswordError, confirm_password},
    end_sessions::commit_ended,
    log_in::sign,
};
use crate::{
    AppState,
    domain::{Account, Device, GivenPassword, Grant, MailKind, NewPassword, new_salt},
    hasher::{HashError, Party},
    store::{account_mails, accounts, sessions},
};

/// Why the password is still the old one.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The new password is one that is guessed first.
    #[error("the password is too common")]
    TooCommon,
    #[error(transparent)]
    Confirm(#[from] ConfirmPasswordError),
    /// The session that asked ended meanwhile.
    #[error("the session has ended")]
    SessionEnded,
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Sign(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Replaces the password, ends all sessions but the one that asks, and gives that one new tokens: whoever else has its
/// old ones has nothing any more.
pub async fn change_password(
    state: &AppState,
    account: &Account,
    session: SessionId,
    old: GivenPassword,
    new: NewPassword,
) -> Result<Grant, ChangePasswordError> {
    if new.is_common(&account.username, &account.email) {
        return Err(ChangePasswordError::TooCommon);
    }
    let confirmed = confirm_password(state, account.id, old).await?;
    let new = state.hasher.hash(Party::Account(account.id), new).await?;
    let (sid, salt) = (Uuid::new_v4(), new_salt());
    let refresh_token = state.refresh.token(&salt, 1);
    let mut tx = state.db.begin().await?;
    let changed = accounts::update_password(&mut tx, account.id, &confirmed, &new).await?;
    let changed_at = changed.ok_or(ConfirmPasswordError::WrongPassword)?;
    account_mails::delete_tokens(&mut tx, account.id, &[MailKind::ResetPassword]).await?;
    let mut ended = sessions::delete_other_sessions(&mut tx, account.id, session).await?;
    let replaced =
        sessions::replace_refresh_chain(&mut tx, session, sid, &salt, &refresh_token.hash()).await?;
    ended.push(replaced.ok_or(ChangePasswordError::SessionEnded)?);
    commit_ended(state, tx, ended).await?;
    let device_token = Some(state.devices.token(Device::new(account.id, changed_at), &new));
    Ok(Grant { access_token: sign(state, sid, account)?, refresh_token, device_token })
}
