//! The routes of this service, a file per resource.

mod cart;
mod items;
mod writer;

use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// What the document says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(description = "Carts: what somebody is about to order."),
    tags((name = "cart", description = "One's own cart"))
)]
struct Document;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(cart::get_cart, cart::clear_cart))
        .routes(routes!(items::add_item))
        .routes(routes!(items::set_quantity, items::remove_item))
}
