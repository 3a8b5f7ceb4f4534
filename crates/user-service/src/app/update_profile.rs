//! Someone takes another name or e-mail address.

use super::{
    Taken,
    change_email::address_changed,
    confirm_password::{ConfirmPasswordError, confirm_password},
    taken::RequestedNames,
};
use crate::{
    AppState,
    domain::{Account, Email, GivenPassword, Username},
    store::accounts,
};

pub struct ProfileChange {
    /// The new name, if it changes.
    pub username: Option<Username>,
    /// The new address, if it changes: then the password is needed, because mail is how an account is recovered.
    pub email: Option<Email>,
    /// The account's password; it has to be right wherever it is given.
    pub current_password: Option<GivenPassword>,
}

#[derive(Debug, thiserror::Error)]
pub enum UpdateProfileError {
    /// The address cannot change without the password.
    #[error("the password is missing")]
    PasswordMissing,
    /// Somebody else has the name or the address, or only an administrator may have it.
    #[error("{0:?} is taken")]
    Taken(Taken),
    #[error(transparent)]
    Confirm(#[from] ConfirmPasswordError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Changes what is given of this account. Tokens that were signed before keep saying the old until they are refreshed.
pub async fn update_profile(
    state: &AppState,
    account: &Account,
    change: ProfileChange,
) -> Result<Account, UpdateProfileError> {
    let confirmed = match (&change.email, change.current_password) {
        (None, None) => None,
        (Some(_), None) => return Err(UpdateProfileError::PasswordMissing),
        (_, Some(given)) => Some(confirm_password(state, account.id, given).await?),
    };
    let names = RequestedNames { username: change.username.as_ref(), email: change.email.as_ref() };
    refuse_taken(names.reserved(state, account.role))?;
    let username = change.username.as_ref().map(Username::as_str);
    let email = change.email.as_ref().map(Email::as_str);
    let mut tx = state.db.begin().await?;
    refuse_taken(names.lock_and_find_taken(&mut tx, Some(account.id)).await?)?;
    let changed =
        accounts::update_profile(&mut tx, account.id, username, email, confirmed.as_deref()).await?;
    let changed = changed.ok_or(UpdateProfileError::Confirm(ConfirmPasswordError::WrongPassword))?;
    if !changed.email.eq_ignore_ascii_case(&account.email) {
        address_changed(state, &mut tx, account.id, &account.email, &changed.email).await?;
    }
    state.outbox.commit(tx).await?;
    Ok(changed)
}

fn refuse_taken(taken: Option<Taken>) -> Result<(), UpdateProfileError> {
    taken.map_or(Ok(()), |taken| Err(UpdateProfileError::Taken(taken)))
}
