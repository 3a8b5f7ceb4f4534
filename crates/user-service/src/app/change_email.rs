//! An account gets another e-mail address: with a token that is sent there first, or at once by a change of the profile.

use contracts::UserId;
use sqlx::PgTransaction;

use super::{
    Taken,
    confirm_password::{ConfirmPasswordError, confirm_password},
    request_mail::request_mail,
    taken::RequestedNames,
};
use crate::{
    AppState,
    domain::{Account, Email, GivenPassword, MailKind},
    store::account_mails,
};

#[derive(Debug, thiserror::Error)]
pub enum ChangeEmailError {
    #[error("{0:?} is taken")]
    Taken(Taken),
    #[error(transparent)]
    Confirm(#[from] ConfirmPasswordError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Sends a token to an address that is to become the account's. Until it comes back, nothing changes.
pub async fn change_email(
    state: &AppState,
    account: &Account,
    email: Email,
    password: GivenPassword,
) -> Result<(), ChangeEmailError> {
    confirm_password(state, account.id, password).await?;
    let names = RequestedNames { username: None, email: Some(&email) };
    let taken = match names.reserved(state, account.role) {
        None => names.find_taken(&mut *state.db.acquire().await?, Some(account.id)).await?,
        reserved => reserved,
    };
    if let Some(taken) = taken {
        return Err(ChangeEmailError::Taken(taken));
    }
    let mut tx = state.db.begin().await?;
    // Only the last address that was asked for can be confirmed.
    account_mails::delete_tokens(&mut tx, account.id, &[MailKind::ConfirmEmail]).await?;
    request_mail(state, &mut tx, MailKind::ConfirmEmail, Some((account.id, email.as_str()))).await?;
    Ok(state.outbox.commit(tx).await?)
}

/// What follows when an account has another address that nobody has verified: the old one is told, the new one asked.
pub(super) async fn address_changed(
    state: &AppState,
    tx: &mut PgTransaction<'_>,
    id: UserId,
    former: &str,
    email: &str,
) -> sqlx::Result<()> {
    account_mails::delete_tokens(tx, id, &MailKind::WITH_TOKEN).await?;
    request_mail(state, tx, MailKind::EmailChanged, Some((id, former))).await?;
    request_mail(state, tx, MailKind::VerifyEmail, Some((id, email))).await
}
