//! Somebody with a shell of the machine gives the shop an administrator again.

use chassis::{Role, database::commit};
use garde::Validate;
use rand::Rng;

use super::{Taken, end_sessions::commit_ended, taken::RequestedNames};
use crate::{
    AppState,
    domain::{Email, MailKind, NewPassword, UserChange, Username},
    hasher::{HashError, Party},
    store::{account_mails, accounts, directory, emails, sessions},
};

/// The bytes of a password that is made here: it is typed once.
const PASSWORD_LENGTH: usize = 12;

pub struct NewAdmin {
    pub email: Email,
    pub username: Username,
}

#[derive(Debug, thiserror::Error)]
pub enum RecoverAdminError {
    #[error("the e-mail address or the username is not valid: {0}")]
    Invalid(#[from] garde::Report),
    #[error("there is no account with this e-mail address")]
    Unknown,
    #[error("somebody has this already: {0:?}")]
    Taken(Taken),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Makes an administrator, and returns the password to log in with.
pub async fn create_admin(state: &AppState, new: NewAdmin) -> Result<String, RecoverAdminError> {
    new.email.validate()?;
    new.username.validate()?;
    let (password, password_hash) = new_password(state).await?;
    let names = RequestedNames::both(&new.username, &new.email);
    let mut tx = state.db.begin().await?;
    if let Some(taken) = names.lock_and_find_taken(&mut tx, None).await? {
        return Err(RecoverAdminError::Taken(taken));
    }
    let (name, email) = (new.username.as_str(), new.email.as_str());
    accounts::insert_account(&mut tx, name, email, &password_hash, Role::Admin, true).await?;
    commit(tx).await?;
    Ok(password)
}

/// Makes an administrator of the owner of an account, disabled or not.
pub async fn promote_to_admin(state: &AppState, email: &Email) -> Result<(), RecoverAdminError> {
    let mut tx = state.db.begin().await?;
    directory::lock_staff(&mut tx).await?;
    let found = emails::find_account(&mut tx, email.as_str()).await?;
    let id = found.ok_or(RecoverAdminError::Unknown)?;
    let change = UserChange { disabled: Some(false), role: Some(Role::Admin), staff_roles: None };
    directory::update_user(&mut tx, id, &change).await?;
    Ok(commit(tx).await?)
}

/// Replaces the password of an account, ends all its sessions, and returns the new one.
pub async fn replace_password(state: &AppState, email: &Email) -> Result<String, RecoverAdminError> {
    let (password, password_hash) = new_password(state).await?;
    let mut tx = state.db.begin().await?;
    let found = emails::find_account(&mut tx, email.as_str()).await?;
    let id = found.ok_or(RecoverAdminError::Unknown)?;
    directory::replace_password(&mut tx, id, &password_hash).await?;
    account_mails::delete_tokens(&mut tx, id, &[MailKind::ResetPassword]).await?;
    let ended = sessions::delete_all_sessions(&mut tx, id).await?;
    commit_ended(state, tx, ended).await?;
    Ok(password)
}

async fn new_password(state: &AppState) -> Result<(String, String), RecoverAdminError> {
    let mut bytes = [0; PASSWORD_LENGTH];
    rand::rng().fill_bytes(&mut bytes);
    let password = hex::encode(bytes);
    let hash = state.hasher.hash(Party::Shop, NewPassword::new(&password)).await?;
    Ok((password, hash))
}
