//! `/cart/item`: single products of the cart.

use axum::extract::State;
use chassis::{Json, Path, Problem, http::Refusals};
use contracts::ProductId;
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    cart::{CartChanged, Done},
    writer::CartWriter,
};
use crate::{
    AppState,
    app::{self, AddItemError, SetQuantityError},
    domain::MAX_QUANTITY,
    store,
};

/// What to add to the cart.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewItem {
    /// The product to be added.
    #[garde(skip)]
    product_id: ProductId,
    /// Units to add to those that are there.
    #[garde(range(min = 1, max = MAX_QUANTITY))]
    #[schema(example = 2, minimum = 1, maximum = 1000)]
    quantity: i32,
}

/// How many units there shall be in the cart.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuantity {
    /// How many units there shall be.
    #[garde(range(min = 1, max = MAX_QUANTITY))]
    #[schema(example = 3, minimum = 1, maximum = 1000)]
    quantity: i32,
}

/// Add to the cart
///
/// Adds units of a product to those that are there.
#[utoipa::path(
    post, path = "/api/v1/cart/item", operation_id = "add_cart_item", tag = "cart", request_body = NewItem,
    security(("token" = [])),
    responses(
        (status = 200, description = "The cart as it is now", body = CartChanged),
        Refusals<CartWriter, AddItemError>,
    )
)]
pub async fn add_item(
    State(state): State<AppState>,
    CartWriter(user): CartWriter,
    Json(item): Json<NewItem>,
) -> Result<axum::Json<CartChanged>, Problem> {
    let cart = app::add_item(&state, user, item.product_id, item.quantity).await?;
    Ok(axum::Json(CartChanged::new("Added to the cart", cart)))
}

/// Set a quantity
///
/// Says how many units of a product are in the cart.
#[utoipa::path(
    put, path = "/api/v1/cart/item/{product_id}", operation_id = "set_cart_item_quantity", tag = "cart",
    params(("product_id" = ProductId, Path, description = "The product's id")), request_body = NewQuantity, security(("token" = [])),
    responses(
        (status = 200, description = "The cart as it is now", body = CartChanged),
        Refusals<CartWriter, SetQuantityError>,
    )
)]
pub async fn set_quantity(
    State(state): State<AppState>,
    CartWriter(user): CartWriter,
    Path(product_id): Path<ProductId>,
    Json(body): Json<NewQuantity>,
) -> Result<axum::Json<CartChanged>, Problem> {
    let cart = app::set_quantity(&state, user, product_id, body.quantity).await?;
    Ok(axum::Json(CartChanged::new("The cart was changed", cart)))
}

/// Remove from the cart
///
/// Takes all units of a product out of the cart.
#[utoipa::path(
    delete, path = "/api/v1/cart/item/{product_id}", operation_id = "remove_cart_item", tag = "cart",
    params(("product_id" = ProductId, Path, description = "The product's id")), security(("token" = [])),
    responses(
        (status = 200, description = "The product is not in the cart, whether or not it was", body = Done),
        Refusals<CartWriter>,
    )
)]
pub async fn remove_item(
    State(state): State<AppState>,
    CartWriter(user): CartWriter,
    Path(product_id): Path<ProductId>,
) -> Result<axum::Json<Done>, Problem> {
    store::delete_lines(&state.redis, user, &[product_id]).await?;
    Ok(axum::Json(Done { message: "Taken out of the cart" }))
}
