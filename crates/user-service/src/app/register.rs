//! Someone becomes a customer: name and address must be free, and registrations of one network are limited.

use chassis::{Role, http::ClientAddr};

use super::{Taken, request_mail::request_mail, taken::RequestedNames};
use crate::{
    AppState,
    domain::{Account, Email, MailKind, NewPassword, Username},
    hasher::{HashError, Party},
    store::accounts,
};

pub struct NewAccount {
    pub username: Username,
    pub email: Email,
    pub password: NewPassword,
}

#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Somebody else has the name or the address, or only an administrator may have it.
    #[error("{0:?} is taken")]
    Taken(Taken),
    /// The password is one that is guessed first.
    #[error("the password is too common")]
    PasswordTooCommon,
    /// Too many registrations from there; the next one is welcome after some seconds.
    #[error("too many registrations")]
    TooMany(u32),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Makes a customer's account for someone at this address, who is sent a token to verify the e-mail address by. Nothing is
/// hashed for a name that is taken.
pub async fn register(
    state: &AppState,
    new: NewAccount,
    client: ClientAddr,
) -> Result<Account, RegisterError> {
    let (username, email) = (new.username.as_str(), new.email.as_str());
    if new.password.is_common(username, email) {
        return Err(RegisterError::PasswordTooCommon);
    }
    if let Some(wait) = state.counters.increment(&state.limits.of_registration(client)).await {
        return Err(RegisterError::TooMany(wait));
    }
    let names = RequestedNames::both(&new.username, &new.email);
    refuse_taken(names.reserved(state, Role::User))?;
    refuse_taken(names.find_taken(&mut *state.db.acquire().await?, None).await?)?;
    let password_hash = state.hasher.hash(Party::Network(client.network()), new.password).await?;
    let mut tx = state.db.begin().await?;
    refuse_taken(names.lock_and_find_taken(&mut tx, None).await?)?;
    let account =
        accounts::insert_account(&mut tx, username, email, &password_hash, Role::User, false).await?;
    request_mail(state, &mut tx, MailKind::VerifyEmail, Some((account.id, email))).await?;
    state.outbox.commit(tx).await?;
    Ok(account)
}

fn refuse_taken(taken: Option<Taken>) -> Result<(), RegisterError> {
    taken.map_or(Ok(()), |taken| Err(RegisterError::Taken(taken)))
}
