//! Someone logs out, here or elsewhere. The end of a session and its event are one commit.

use chassis::context;
use contracts::{SessionId, UserId, events::SessionEnded};
use messaging::outbox;
use sqlx::PgTransaction;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{AppState, domain::Session, store::sessions};

#[derive(Debug, thiserror::Error)]
pub enum EndSessionError {
    /// There is no such session, or it is somebody else's.
    #[error("no such session")]
    Unknown,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

pub async fn list_sessions(state: &AppState, owner: UserId) -> sqlx::Result<Vec<Session>> {
    sessions::list_sessions(&mut *state.db.acquire().await?, owner).await
}

pub async fn end_session(state: &AppState, owner: UserId, id: SessionId) -> Result<(), EndSessionError> {
    let mut tx = state.db.begin().await?;
    let ended = sessions::delete_session(&mut tx, owner, id).await?.ok_or(EndSessionError::Unknown)?;
    Ok(commit_ended(state, tx, [ended]).await?)
}

/// Commits the end of sessions together with their events, and with whatever else was appended.
pub(super) async fn commit_ended(
    state: &AppState,
    mut tx: PgTransaction<'_>,
    sids: impl IntoIterator<Item = Uuid>,
) -> sqlx::Result<()> {
    let (trace, ended_at) = (context::current(), OffsetDateTime::now_utc());
    let events = sids.into_iter().map(|sid| (trace.clone(), SessionEnded { sid: sid.to_string(), ended_at }));
    outbox::append_all(&mut tx, events).await?;
    state.outbox.commit(tx).await
}
