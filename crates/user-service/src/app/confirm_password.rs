//! Someone who is logged in shows that it is not just someone who found the device unlocked.

use contracts::UserId;

use crate::{
    AppState,
    domain::{GivenPassword, Limit},
    hasher::{HashError, Party},
    store::accounts,
};

#[derive(Debug, thiserror::Error)]
pub enum ConfirmPasswordError {
    #[error("the password is wrong")]
    WrongPassword,
    /// Too many attempts, or failures; the next one is welcome after some seconds.
    #[error("too many attempts")]
    TooMany(u32),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Checks an account's password, as rarely as a login may fail, and returns the stored hash that it fits: whoever
/// changes something by it does so only while that is still stored.
pub(super) async fn confirm_password(
    state: &AppState,
    id: UserId,
    given: GivenPassword,
) -> Result<String, ConfirmPasswordError> {
    let failure = state.limits.of_wrong_password(id);
    refuse_unconfirmed(state, &failure).await?;
    if let Some(wait) = state.counters.increment(&state.limits.of_password_check(id)).await {
        return Err(ConfirmPasswordError::TooMany(wait));
    }
    let stored = accounts::find_password(&mut *state.db.acquire().await?, id).await?;
    let right = state.hasher.verify(Party::Account(id), given, stored.clone()).await?;
    let Some(stored) = stored.filter(|_| right) else {
        let wait = state.counters.increment(&failure).await;
        return Err(wait.map_or(ConfirmPasswordError::WrongPassword, ConfirmPasswordError::TooMany));
    };
    refuse_unconfirmed(state, &failure).await?;
    Ok(stored)
}

async fn refuse_unconfirmed(state: &AppState, limits: &[Limit]) -> Result<(), ConfirmPasswordError> {
    state.counters.find_wait(limits).await.map_or(Ok(()), |wait| Err(ConfirmPasswordError::TooMany(wait)))
}
