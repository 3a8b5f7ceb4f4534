//! The routes of `/products` that are for administrators.

use axum::{
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::IntoResponse,
};
use chassis::{
    Json, Path, Problem,
    auth::Catalogue,
    http::Refusals,
    rules::{all_different, not_blank},
};
use contracts::{CategoryId, ProductId};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AppState,
    app::{self, ChangeStockError, Changes, CreateProductError, UpdateProductError},
    domain::catalogue::Product,
    error::{Code, code},
    store,
    view::ProductView,
};

/// A product to be put on sale.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    /// Nothing else on sale may be called so, whatever the case. Spaces around it are dropped.
    #[garde(length(chars, min = 1, max = 200), custom(not_blank))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Toraja Coffee 250 g"
    )]
    name: String,
    /// What there is to say about it.
    #[serde(default)]
    #[garde(length(chars, max = 5000))]
    #[schema(max_length = 5000, pattern = r"^[^\u0000]*$", example = "Washed, dark roast, ground.")]
    description: String,
    /// What one unit costs, in whole rupiah.
    #[garde(range(min = 1, max = 1_000_000_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, example = 99_000)]
    price: i64,
    /// Units that are free to be sold.
    #[garde(range(min = 0, max = 1_000_000_000))]
    #[schema(minimum = 0, maximum = 1_000_000_000, example = 40)]
    stock: i64,
    /// The categories it belongs to, by their ids.
    #[garde(length(max = 100), custom(all_different))]
    #[schema(value_type = std::collections::BTreeSet<CategoryId>, max_items = 100, example = json!([]))]
    category_ids: Vec<CategoryId>,
}

/// What to change of a product; what is left out stays as it is.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductChanges {
    /// What it is called from now on.
    #[garde(length(chars, min = 1, max = 200), inner(custom(not_blank)))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Toraja Coffee 500 g"
    )]
    name: Option<String>,
    /// What there is to say about it from now on.
    #[garde(length(chars, max = 5000))]
    #[schema(max_length = 5000, pattern = r"^[^\u0000]*$", example = "Washed, dark roast, whole beans.")]
    description: Option<String>,
    /// What one unit costs from now on, in whole rupiah.
    #[garde(range(min = 1, max = 1_000_000_000_000))]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, example = 179_000)]
    price: Option<i64>,
    /// Free units from now on; what is held for orders does not count.
    #[garde(range(min = 0, max = 1_000_000_000))]
    #[schema(minimum = 0, maximum = 1_000_000_000, example = 60)]
    stock: Option<i64>,
    /// The free units that the changes were made for: if there are others by now, nothing changes.
    #[garde(range(min = 0, max = 1_000_000_000))]
    #[schema(minimum = 0, maximum = 1_000_000_000, example = 40)]
    expected_stock: Option<i64>,
    /// All categories it belongs to from now on.
    #[garde(length(max = 100), inner(custom(all_different)))]
    #[schema(value_type = Option<std::collections::BTreeSet<CategoryId>>, max_items = 100, example = json!([]))]
    category_ids: Option<Vec<CategoryId>>,
}

/// Goods that arrive, or are found missing.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockChange {
    /// Units to add; negative takes away.
    #[garde(range(min = -1_000_000_000, max = 1_000_000_000))]
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000, example = 25)]
    add: i64,
    /// Anything worth keeping in the record of the stock; with 0 units, that it was counted.
    #[garde(length(chars, min = 1, max = 255), inner(custom(not_blank)))]
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Delivery of 2 January"
    )]
    reason: Option<String>,
}

/// A product after it was put on sale or changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductSaved {
    /// A sentence for people.
    #[schema(max_length = 200, example = "Product created")]
    message: &'static str,
    /// The product as it is now.
    product: ProductView,
}

/// A product's stock after a change.
#[derive(Debug, Serialize, ToSchema)]
pub struct StockChanged {
    /// The product whose stock changed.
    #[schema(example = 8)]
    product_id: ProductId,
    /// Units that are free now.
    #[schema(minimum = 0, maximum = 1_000_000_000, example = 225)]
    stock: i64,
}

/// The answer to a request that leaves nothing to show.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    /// A sentence for people.
    #[schema(max_length = 200, example = "Product deleted")]
    message: &'static str,
}

fn saved(message: &'static str, product: Product) -> axum::Json<ProductSaved> {
    axum::Json(ProductSaved { message, product: product.into() })
}

/// Create a product
///
/// For administrators and the catalogue. It is on sale at once.
#[utoipa::path(
    post, path = "/api/v1/products", operation_id = "create_product", tag = "product",
    request_body = NewProduct, security(("token" = ["catalogue"])),
    responses(
        (status = 201, description = "The product", body = ProductSaved, headers(
            ("Location" = String, description = "Where it is found"),
        )),
        Refusals<Catalogue, CreateProductError>,
    )
)]
pub async fn create_product(
    State(state): State<AppState>,
    _: Catalogue,
    Json(body): Json<NewProduct>,
) -> Result<impl IntoResponse, Problem> {
    let new = store::NewProduct {
        name: body.name.trim(),
        description: &body.description,
        price: body.price,
        stock: body.stock,
    };
    let product = app::create_product(&state, &new, &body.category_ids).await?;
    let location = [(LOCATION, format!("/api/v1/products/{}", product.id))];
    Ok((StatusCode::CREATED, location, saved("Product created", product)))
}

/// Update a product
///
/// For administrators and the catalogue. What is left out stays as it is; a new stock is recorded as a movement.
#[utoipa::path(
    put, path = "/api/v1/products/{id}", operation_id = "update_product", tag = "product",
    params(("id" = ProductId, Path, description = "The product's id")), request_body = ProductChanges,
    security(("token" = ["catalogue"])),
    responses(
        (status = 200, description = "The product as it is now", body = ProductSaved),
        Refusals<Catalogue, UpdateProductError>,
    )
)]
pub async fn update_product(
    State(state): State<AppState>,
    _: Catalogue,
    Path(id): Path<ProductId>,
    Json(body): Json<ProductChanges>,
) -> Result<axum::Json<ProductSaved>, Problem> {
    let changes = Changes {
        name: body.name.map(|name| name.trim().to_owned()),
        description: body.description,
        price: body.price,
        stock: body.stock,
        expected_stock: body.expected_stock,
        category_ids: body.category_ids,
    };
    Ok(saved("Product updated", app::update_product(&state, id, changes).await?))
}

/// Delete a product
///
/// For administrators and the catalogue: it is off sale, and its name is free again. Orders keep what they know of it, and what is held
/// of it can still be returned.
#[utoipa::path(
    delete, path = "/api/v1/products/{id}", operation_id = "delete_product", tag = "product",
    params(("id" = ProductId, Path, description = "The product's id")), security(("token" = ["catalogue"])),
    responses(
        (status = 200, description = "It is off sale", body = Done),
        Refusals<Catalogue, code::UnknownProduct>,
    )
)]
pub async fn delete_product(
    State(state): State<AppState>,
    _: Catalogue,
    Path(id): Path<ProductId>,
) -> Result<axum::Json<Done>, Problem> {
    if app::delete_product(&state, id).await? {
        Ok(axum::Json(Done { message: "Product deleted" }))
    } else {
        Err(Code::UnknownProduct.into())
    }
}

/// Change stock
///
/// For administrators and the catalogue: adds to a product's free stock, or takes away from it.
#[utoipa::path(
    post, path = "/api/v1/products/{id}/stock", operation_id = "change_stock", tag = "product",
    params(("id" = ProductId, Path, description = "The product's id")), request_body = StockChange,
    security(("token" = ["catalogue"])),
    responses(
        (status = 200, description = "The stock as it is now", body = StockChanged),
        Refusals<Catalogue, ChangeStockError>,
    )
)]
pub async fn change_stock(
    State(state): State<AppState>,
    _: Catalogue,
    Path(id): Path<ProductId>,
    Json(body): Json<StockChange>,
) -> Result<axum::Json<StockChanged>, Problem> {
    let stock = app::change_stock(&state, id, body.add, body.reason.as_deref()).await?;
    Ok(axum::Json(StockChanged { product_id: id, stock }))
}
