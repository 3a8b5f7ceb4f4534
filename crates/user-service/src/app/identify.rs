//! Who is asking. The other services consume `SessionEnded`; this one looks into its table.

use chassis::Claims;
use contracts::SessionId;
use uuid::Uuid;

use crate::{AppState, domain::Account, store::sessions};

#[derive(Debug, thiserror::Error)]
pub enum IdentifyError {
    #[error("the session has ended")]
    Ended,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// The session and the account of a token whose signature counts.
pub async fn identify(state: &AppState, claims: &Claims) -> Result<(SessionId, Account), IdentifyError> {
    let sid: Uuid = claims.sid.parse().map_err(|_| IdentifyError::Ended)?;
    let found = sessions::find_live_session(&mut *state.db.acquire().await?, sid).await?;
    found.filter(|(_, account)| account.id == claims.user_id).ok_or(IdentifyError::Ended)
}
