//! Someone who is logged in shows that it is not just someone who found the device unlocked.

use contracts::UserId;

use super::hash::HashError;
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
    /// Too many failures; the next attempt is welcome after some seconds.
    #[error("too many failures")]
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
    let limits = [Limit::of_account(id)];
    refuse_unconfirmed(app, &limits).await?;
    let stored = accounts::find_password(&mut *app.db.acquire().await?, id).await?;
    let right = app.hasher.verify(given, stored.clone()).await?;
    let Some(stored) = stored.filter(|_| right) else {
        let wait = app.failures.insert_failure(&limits).await;
        return Err(wait.map_or(ConfirmPasswordError::WrongPassword, ConfirmPasswordError::TooMany));
    };
    refuse_unconfirmed(app, &limits).await?;
    Ok(stored)
}

async fn refuse_unconfirmed(app: &App, limits: &[Limit]) -> Result<(), ConfirmPasswordError> {
    app.failures.find_wait(limits).await.map_or(Ok(()), |wait| Err(ConfirmPasswordError::TooMany(wait)))
}
