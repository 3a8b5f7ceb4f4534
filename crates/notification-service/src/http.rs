//! The routes of this service.

mod notifications;
mod preferences;

use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// What the document says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(description = "What customers are sent about their orders."),
    tags((name = "notification", description = "Notifications, and what customers want of them"))
)]
struct Document;

/// Every route with its description.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(notifications::list_notifications))
        .routes(routes!(notifications::retry_notification))
        .routes(routes!(preferences::get_preferences, preferences::set_preferences))
}
