//! Someone who does not know the password any more chooses another, by a token that is sent to the account's address.

use chassis::http::ClientAddr;

use super::{end_sessions::commit_ended, request_mail::request_mail};
use crate::{
    AppState,
    domain::{Email, MailKind, MailToken, NewPassword},
    hasher::{HashError, Party},
    store::{account_mails, emails, sessions},
};

#[derive(Debug, thiserror::Error)]
pub enum RequestResetError {
    /// Too many requests with this address, or from there; the next one is welcome after some seconds.
    #[error("too many requests")]
    TooMany(u32),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum ResetPasswordError {
    /// The token was never given out, has expired, was used, or is for something else.
    #[error("the token does not count")]
    TokenRefused,
    /// The new password is one that is guessed first.
    #[error("the password is too common")]
    TooCommon,
    /// Too many wrong tokens from there; the next one is welcome after some seconds.
    #[error("too many attempts")]
    TooMany(u32),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Sends a token to the address, if somebody has it. Whether that is so shows neither in the answer nor in the time that it
/// takes: the same statements write the same rows, and an event is published in either case.
pub async fn request_reset(
    state: &AppState,
    email: Email,
    client: ClientAddr,
) -> Result<(), RequestResetError> {
    if let Some(wait) = state.counters.increment(&state.limits.of_reset(email.as_str(), client)).await {
        return Err(RequestResetError::TooMany(wait));
    }
    let found = emails::find_address(&mut *state.db.acquire().await?, email.as_str()).await?;
    let to = found.as_ref().map(|(id, email)| (*id, email.as_str()));
    let mut tx = state.db.begin().await?;
    request_mail(state, &mut tx, MailKind::ResetPassword, to).await?;
    Ok(state.outbox.commit(tx).await?)
}

/// Replaces the password of the account that a token is for, and ends all its sessions. The reader of the token reads the
/// account's address, so that is verified too.
pub async fn reset_password(
    state: &AppState,
    token: MailToken,
    new: NewPassword,
    client: ClientAddr,
) -> Result<(), ResetPasswordError> {
    let limits = state.limits.of_wrong_token(client);
    if let Some(wait) = state.counters.find_wait(&limits).await {
        return Err(ResetPasswordError::TooMany(wait));
    }
    let hash = token.hash();
    let mut db = state.db.acquire().await?;
    let proof = account_mails::find_proof(&mut db, &hash, &[MailKind::ResetPassword]).await?;
    let Some(proof) = proof else {
        let wait = state.counters.increment(&limits).await;
        return Err(wait.map_or(ResetPasswordError::TokenRefused, ResetPasswordError::TooMany));
    };
    let username = emails::find_username(&mut db, proof.user_id).await?.unwrap_or_default();
    drop(db);
    if new.is_common(&username, &proof.email) {
        return Err(ResetPasswordError::TooCommon);
    }
    let password_hash = state.hasher.hash(Party::Account(proof.user_id), new).await?;
    let mut tx = state.db.begin().await?;
    let reset = emails::reset_password(&mut tx, proof.user_id, &proof.email, &password_hash).await?;
    if !reset || !account_mails::spend_token(&mut tx, &hash).await? {
        return Err(ResetPasswordError::TokenRefused);
    }
    account_mails::delete_tokens(&mut tx, proof.user_id, &[MailKind::ResetPassword]).await?;
    let ended = sessions::delete_all_sessions(&mut tx, proof.user_id).await?;
    Ok(commit_ended(state, tx, ended).await?)
}
