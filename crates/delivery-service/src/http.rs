//! The routes of this service, all of them about deliveries.

mod deliveries;

use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// What the document says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(description = "Deliveries of paid orders."),
    tags((name = "delivery", description = "Deliveries"))
)]
struct Document;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(deliveries::list_deliveries))
        .routes(routes!(deliveries::get_delivery))
        .routes(routes!(deliveries::set_delivery_status))
}
