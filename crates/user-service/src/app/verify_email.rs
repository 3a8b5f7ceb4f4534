//! Someone shows that an e-mail address is theirs, by the token that was sent to it.

use chassis::http::ClientAddr;
use sqlx::PgTransaction;

use super::{Taken, request_mail::request_mail, taken::RequestedNames};
use crate::{
    AppState,
    domain::{Account, Email, MailKind, MailToken},
    store::{
        account_mails::{self, Proof},
        emails,
    },
};

/// What proves that somebody reads an address.
const PROOFS: &[MailKind] = &[MailKind::VerifyEmail, MailKind::ConfirmEmail];

#[derive(Debug, thiserror::Error)]
pub enum VerifyEmailError {
    /// The token was never given out, has expired, was used, or is for something else.
    #[error("the token does not count")]
    TokenRefused,
    /// Somebody else has the address by now.
    #[error("{0:?} is taken")]
    Taken(Taken),
    /// Too many wrong tokens from there; the next one is welcome after some seconds.
    #[error("too many attempts")]
    TooMany(u32),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum ResendVerificationError {
    /// There is nothing to show any more.
    #[error("the address is verified")]
    AlreadyVerified,
    /// Too many e-mails; the next one is welcome after some seconds.
    #[error("too many e-mails")]
    TooMany(u32),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Verifies the address that a token was sent to. If it is another one than the account's, the account has it from now on,
/// and the former one is told.
pub async fn verify_email(
    state: &AppState,
    token: MailToken,
    client: ClientAddr,
) -> Result<(), VerifyEmailError> {
    let limits = state.limits.of_wrong_token(client);
    if let Some(wait) = state.counters.find_wait(&limits).await {
        return Err(VerifyEmailError::TooMany(wait));
    }
    let hash = token.hash();
    let proof = account_mails::find_proof(&mut *state.db.acquire().await?, &hash, PROOFS).await?;
    let Some(proof) = proof else {
        let wait = state.counters.increment(&limits).await;
        return Err(wait.map_or(VerifyEmailError::TokenRefused, VerifyEmailError::TooMany));
    };
    let mut tx = state.db.begin().await?;
    match proof.kind {
        MailKind::ConfirmEmail => take_address(state, &mut tx, &proof).await?,
        _ => verify_address(&mut tx, &proof).await?,
    }
    // After the names were locked, as everywhere: the other order could deadlock.
    if !account_mails::spend_token(&mut tx, &hash).await? {
        return Err(VerifyEmailError::TokenRefused);
    }
    Ok(state.outbox.commit(tx).await?)
}

async fn verify_address(tx: &mut PgTransaction<'_>, proof: &Proof) -> Result<(), VerifyEmailError> {
    let verified = emails::verify_email(tx, proof.user_id, &proof.email).await?;
    if verified { Ok(()) } else { Err(VerifyEmailError::TokenRefused) }
}

async fn take_address(
    state: &AppState,
    tx: &mut PgTransaction<'_>,
    proof: &Proof,
) -> Result<(), VerifyEmailError> {
    let email = Email::new(&proof.email);
    let names = RequestedNames { username: None, email: Some(&email) };
    if let Some(taken) = names.lock_and_find_taken(tx, Some(proof.user_id)).await? {
        return Err(VerifyEmailError::Taken(taken));
    }
    let former = emails::replace_email(tx, proof.user_id, &proof.email).await?;
    let former = former.ok_or(VerifyEmailError::TokenRefused)?;
    request_mail(state, tx, MailKind::EmailChanged, Some((proof.user_id, &former))).await?;
    Ok(account_mails::delete_tokens(tx, proof.user_id, &[MailKind::VerifyEmail, MailKind::ResetPassword])
        .await?)
}

/// Sends another token to the account's address.
pub async fn resend_verification(state: &AppState, account: &Account) -> Result<(), ResendVerificationError> {
    if account.email_verified {
        return Err(ResendVerificationError::AlreadyVerified);
    }
    if let Some(wait) = state.counters.increment(&state.limits.of_verification(account.id)).await {
        return Err(ResendVerificationError::TooMany(wait));
    }
    let mut tx = state.db.begin().await?;
    request_mail(state, &mut tx, MailKind::VerifyEmail, Some((account.id, &account.email))).await?;
    Ok(state.outbox.commit(tx).await?)
}
