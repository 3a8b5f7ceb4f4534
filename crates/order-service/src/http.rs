//! The HTTP interface: a file per resource, with its types and its handlers.

mod orders;
mod placing;

use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// What the document says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(description = "Orders from the request to the end."),
    tags((name = "order", description = "Orders"))
)]
struct Document;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(placing::place_order, orders::list_orders))
        .routes(routes!(placing::checkout))
        .routes(routes!(orders::list_all_orders))
        .routes(routes!(orders::get_order))
        .routes(routes!(orders::list_order_events))
        .routes(routes!(orders::cancel_order))
}
