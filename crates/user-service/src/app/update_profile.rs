//! Someone takes another name or e-mail address.

use contracts::UserId;

use super::{
    Taken,
    confirm_password::{ConfirmPasswordError, confirm_password},
};
use crate::{
    App,
    domain::{Account, Email, GivenPassword, Username},
    store::accounts,
};

/// What is to change.
pub struct ProfileChange {
    /// The new name, if it changes.
    pub username: Option<Username>,
    /// The new address, if it changes: then the password is needed, because mail is how an account is recovered.
    pub email: Option<Email>,
    /// The account's password.
    pub current_password: Option<GivenPassword>,
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateProfileError {
    /// The address cannot change without the password.
    #[error("the password is missing")]
    PasswordMissing,
    /// Somebody else has the name or the address.
    #[error("{0:?} is taken")]
    Taken(Taken),
    /// The password was not confirmed.
    #[error(transparent)]
    Confirm(#[from] ConfirmPasswordError),
    /// The database failed.
    #[error(transparent)]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for UpdateProfileError {
    fn from(error: sqlx::Error) -> Self {
        Taken::from_error(&error).map_or(Self::Database(error), Self::Taken)
    }
}

/// Changes what is given. Tokens that were signed before keep saying the old until they are refreshed.
pub async fn update_profile(
    app: &App,
    id: UserId,
    change: ProfileChange,
) -> Result<Account, UpdateProfileError> {
    let confirmed = match (&change.email, change.current_password) {
        (None, _) => None,
        (Some(_), None) => return Err(UpdateProfileError::PasswordMissing),
        (Some(_), Some(given)) => Some(confirm_password(app, id, given).await?),
    };
    let username = change.username.as_ref().map(Username::as_str);
    let email = change.email.as_ref().map(Email::as_str);
    let mut db = app.db.acquire().await?;
    let changed = accounts::update_profile(&mut db, id, username, email, confirmed.as_deref()).await?;
    changed.ok_or(UpdateProfileError::Confirm(ConfirmPasswordError::WrongPassword))
}
