//! Someone who is logged in shows that it is not just someone who found the device unlocked.

use contracts::UserId;

use super::hash::{HashError, Party};
use crate::{
    App,
    domain::{GivenPassword, Limit},
    store::accounts,
};

/// Why nothing was confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmPasswordError {
    /// It is not the account's password.
    #[error("the password is wrong")]
    WrongPassword,
    /// Too many attempts, or failures; the next one is welcome after some seconds.
    #[error("too many attempts")]
    TooMany(u32),
    /// The password was not hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Checks an account's password, as rarely as a login may fail, and returns the stored hash that it fits: whoever
/// changes something by it does so only while that is still stored.
pub(super) async fn confirm_password(
    app: &App,
    id: UserId,
    given: GivenPassword,
) -> Result<String, ConfirmPasswordError> {
    let failure = app.limits.of_wrong_password(id);
    refuse_unconfirmed(app, &failure).await?;
    if let Some(wait) = app.counters.increment(&app.limits.of_password_check(id)).await {
        return Err(ConfirmPasswordError::TooMany(wait));
    }
    let stored = accounts::find_password(&mut *app.db.acquire().await?, id).await?;
    let right = app.hasher.verify(Party::Account(id), given, stored.clone()).await?;
    let Some(stored) = stored.filter(|_| right) else {
        let wait = app.counters.increment(&failure).await;
        return Err(wait.map_or(ConfirmPasswordError::WrongPassword, ConfirmPasswordError::TooMany));
    };
    refuse_unconfirmed(app, &failure).await?;
    Ok(stored)
}

async fn refuse_unconfirmed(app: &App, limits: &[Limit]) -> Result<(), ConfirmPasswordError> {
    app.counters.find_wait(limits).await.map_or(Ok(()), |wait| Err(ConfirmPasswordError::TooMany(wait)))
}
