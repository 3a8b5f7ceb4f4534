//! The routes of this service.

mod cart;
mod items;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::App;

/// Every route with its description.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(cart::get_cart, cart::clear_cart))
        .routes(routes!(items::add_item))
        .routes(routes!(items::set_quantity, items::remove_item))
}
