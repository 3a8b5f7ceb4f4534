//! `/notification/preferences`: in which language a customer is written to, and what they do without.

use axum::extract::State;
use chassis::{Json, Problem, User};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AppState,
    domain::{Language, Preferences},
    store,
};

/// What a customer wants.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferencesView {
    /// The language of all messages.
    #[garde(skip)]
    language: Language,
    /// E-mails that are not about money. Those about money (what is due, was paid or refunded, and that an order ended) are
    /// always sent: they are receipts.
    #[garde(skip)]
    #[schema(example = true)]
    email: bool,
    /// Messages over the shop's other channel, such as SMS, if it has one.
    #[garde(skip)]
    #[schema(example = false)]
    webhook: bool,
}

impl From<Preferences> for PreferencesView {
    fn from(Preferences { language, email, webhook }: Preferences) -> Self {
        Self { language, email, webhook }
    }
}

/// Get preferences
///
/// One's own; without a choice, the shop's language and everything.
#[utoipa::path(
    get, path = "/api/v1/notification/preferences", operation_id = "get_notification_preferences",
    tag = "notification", security(("token" = [])),
    responses((status = 200, description = "What the customer wants", body = PreferencesView))
)]
pub async fn get_preferences(
    State(state): State<AppState>,
    user: User,
) -> Result<axum::Json<PreferencesView>, Problem> {
    let chosen = store::find_preferences(&mut *state.db.acquire().await?, user.id()).await?;
    Ok(axum::Json(chosen.unwrap_or(Preferences::of_nobody(state.language)).into()))
}

/// Set preferences
///
/// Replaces one's own. They count from the next message on, also for what waits to be sent.
#[utoipa::path(
    put, path = "/api/v1/notification/preferences", operation_id = "set_notification_preferences",
    tag = "notification", security(("token" = [])), request_body = PreferencesView,
    responses((status = 200, description = "What the customer wants now", body = PreferencesView))
)]
pub async fn set_preferences(
    State(state): State<AppState>,
    user: User,
    Json(body): Json<PreferencesView>,
) -> Result<axum::Json<PreferencesView>, Problem> {
    let PreferencesView { language, email, webhook } = body;
    let chosen = Preferences { language, email, webhook };
    store::upsert_preferences(&mut *state.db.acquire().await?, user.id(), &chosen).await?;
    Ok(axum::Json(body))
}
