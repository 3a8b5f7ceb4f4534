//! Where one is logged in, and logging out there.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use chassis::{Path, Problem, http::Refusals};
use contracts::SessionId;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::Caller;
use crate::{AppState, app, domain::Session, error::code};

/// A session in which one is logged in.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// The number of the session.
    id: SessionId,
    /// When its owner logged in there.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05.678901Z")]
    created_at: OffsetDateTime,
    /// When its tokens were last exchanged.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05.678901Z")]
    last_used_at: OffsetDateTime,
    /// What the client said it is.
    #[schema(max_length = 255, required, example = "Mozilla/5.0 (X11; Linux x86_64)")]
    user_agent: Option<String>,
    /// Whether it is the one that asks.
    #[schema(example = true)]
    current: bool,
}

impl SessionView {
    fn new(session: Session, asking: SessionId) -> Self {
        Self {
            id: session.id,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            user_agent: session.user_agent,
            current: session.id == asking,
        }
    }
}

/// List sessions
///
/// Where one is logged in: the session used last first, at most 20.
#[utoipa::path(
    get, path = "/api/v1/auth/sessions", operation_id = "list_sessions", tag = "session",
    security(("token" = [])),
    responses((status = 200, description = "The sessions", body = [SessionView]))
)]
pub async fn list_sessions(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<impl IntoResponse, Problem> {
    let sessions = app::list_sessions(&state, caller.account.id).await?;
    let views = sessions.into_iter().map(|session| SessionView::new(session, caller.session));
    Ok(axum::Json(views.collect::<Vec<_>>()))
}

/// End a session
///
/// Logs out elsewhere, or here: its tokens are refused by every service within seconds.
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions/{id}", operation_id = "end_session", tag = "session",
    security(("token" = [])),
    params(("id" = SessionId, Path, description = "The session")),
    responses(
        (status = 204, description = "The session has ended"),
        Refusals<code::NotYours>,
    )
)]
pub async fn end_session(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<SessionId>,
) -> Result<impl IntoResponse, Problem> {
    app::end_session(&state, caller.account.id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
