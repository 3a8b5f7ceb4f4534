//! What has expired is deleted. Nothing is published: the last access token of such a session expired long before.

use crate::{
    AppState,
    store::{account_mails, sessions},
};

/// How many tokens or e-mails go at a time, so that no transaction is long.
const TOKENS: i64 = 1_000;
/// How many sessions go at a time. Each may take a whole chain of tokens with it.
const SESSIONS: i64 = 100;

/// Deletes a batch of sessions that expired, of tokens that were spent longer ago than any token lives, and of e-mails that
/// are of no use any more. Returns how many.
pub async fn purge_expired(state: &AppState) -> sqlx::Result<usize> {
    let mut db = state.db.acquire().await?;
    let sessions = sessions::delete_expired_sessions(&mut db, SESSIONS).await?;
    let tokens = sessions::delete_expired_tokens(&mut db, TOKENS).await?;
    let mails = account_mails::delete_expired_mails(&mut db, TOKENS).await?;
    Ok(usize::try_from(sessions + tokens + mails).unwrap_or(usize::MAX))
}
