//! Someone who is logged in shows that it is not just someone who found the device unlocked.

use contracts::UserId;

use super::HashError;
use crate::{
    App,
    domain::{GivenPassword, Limit},
    store::accounts,
};

/// Why nothing was confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
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

impl App {
    /// Checks an account's password, as rarely as a login may fail, and returns the stored hash that it fits: whoever
    /// changes something by it does so only while that is still stored.
    pub(super) async fn confirm_password(
        &self,
        id: UserId,
        given: GivenPassword,
    ) -> Result<String, ConfirmError> {
        let limits = [Limit::of_account(id)];
        self.refuse_unconfirmed(&limits).await?;
        let stored = accounts::find_password(&mut *self.db.acquire().await?, id).await?;
        let right = self.hasher.verify(given, stored.clone()).await?;
        let Some(stored) = stored.filter(|_| right) else {
            let wait = self.failures.insert_failure(&limits).await;
            return Err(wait.map_or(ConfirmError::WrongPassword, ConfirmError::TooMany));
        };
        self.refuse_unconfirmed(&limits).await?;
        Ok(stored)
    }

    async fn refuse_unconfirmed(&self, limits: &[Limit]) -> Result<(), ConfirmError> {
        self.failures.find_wait(limits).await.map_or(Ok(()), |wait| Err(ConfirmError::TooMany(wait)))
    }
}
