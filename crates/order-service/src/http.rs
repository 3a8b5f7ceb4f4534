//! What this service answers over HTTP.

mod idempotency;
mod orders;
mod placing;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::App;

/// Its routes with their descriptions.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(placing::place_order, orders::list_orders))
        .routes(routes!(placing::checkout))
        .routes(routes!(orders::list_all_orders))
        .routes(routes!(orders::get_order))
        .routes(routes!(orders::list_order_events))
        .routes(routes!(orders::cancel_order))
}
