//! The routes of this service, a file per resource.

mod categories;
mod conditional;
mod product_admin;
mod products;

use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// What the document says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(description = "The catalogue: products, their stock, and categories."),
    tags(
        (name = "product", description = "What is on sale"),
        (name = "category", description = "What products belong to"),
    )
)]
struct Document;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(products::list_products, product_admin::create_product))
        .routes(routes!(products::get_product, product_admin::update_product, product_admin::delete_product))
        .routes(routes!(product_admin::change_stock))
        .routes(routes!(categories::list_categories, categories::create_category))
        .routes(routes!(categories::rename_category, categories::delete_category))
}
