//! What has expired is deleted. Nothing is published: the last access token of such a session expired long before.

use crate::{AppState, store::sessions};

/// How many tokens go at a time, so that no transaction is long.
const TOKENS: i64 = 1_000;
/// How many sessions go at a time. Each may take a whole chain of tokens with it.
const SESSIONS: i64 = 100;

/// Deletes a batch of sessions that expired, and of tokens that were spent longer ago than any token lives. Returns how
/// many.
pub async fn purge_expired(state: &AppState) -> sqlx::Result<usize> {
    let mut db = state.db.acquire().await?;
    let sessions = sessions::delete_expired_sessions(&mut db, SESSIONS).await?;
    let tokens = sessions::delete_expired_tokens(&mut db, TOKENS).await?;
    Ok(usize::try_from(sessions + tokens).unwrap_or(usize::MAX))
}
