//! `/cart`: reading the whole cart, and emptying it.

use axum::{Json, extract::State};
use chassis::{Problem, User, http::Refusals};
use contracts::{ProductId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use super::writer::CartWriter;
use crate::{
    AppState, app,
    domain::{PricedCart, PricedLine},
    store,
};

/// A cart with what it costs today.
#[derive(Debug, Serialize, ToSchema)]
pub struct CartView {
    /// The user whose cart it is.
    user_id: UserId,
    /// Its products, in the order added.
    #[schema(max_items = 100)]
    items: Vec<ItemView>,
    /// How many units are in the cart.
    #[schema(minimum = 0, maximum = 100_000, example = 2)]
    total_qty: i64,
    /// What the cart costs at this moment, in rupiah.
    #[schema(minimum = 0, maximum = 100_000_000_000_000_000_i64, example = 900_000)]
    total_amt: i64,
}

/// A product in a cart, with its name and price of this moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemView {
    /// The product that is in the cart.
    product_id: ProductId,
    /// What the product is called at this moment.
    #[schema(min_length = 1, max_length = 200, example = "Mechanical keyboard")]
    name: String,
    /// Today's price in rupiah; the last known one while the catalogue is down.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, example = 450_000)]
    price: i64,
    /// How many units of the product are in the cart.
    #[schema(example = 2, minimum = 1, maximum = 1000)]
    quantity: i32,
    /// What the line costs: price times quantity, in rupiah.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_000_i64, example = 900_000)]
    subtotal: i64,
    /// Whether so many can be bought.
    #[schema(example = true)]
    available: bool,
    /// Whether the price is another than when it was added.
    #[schema(example = false)]
    price_changed: bool,
}

/// The cart as it is after a change.
#[derive(Debug, Serialize, ToSchema)]
pub struct CartChanged {
    /// A sentence for people.
    #[schema(max_length = 200, example = "Added to the cart")]
    message: &'static str,
    /// The cart as it is now.
    cart: CartView,
}

/// What was done, in words for people.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    /// A sentence for people.
    #[schema(max_length = 200, example = "The cart is empty")]
    pub(super) message: &'static str,
}

impl CartChanged {
    pub(super) fn new(message: &'static str, cart: PricedCart) -> Self {
        Self { message, cart: cart.into() }
    }
}

impl From<PricedCart> for CartView {
    fn from(cart: PricedCart) -> Self {
        Self {
            user_id: cart.user_id,
            total_qty: cart.total_quantity(),
            total_amt: cart.total_amount(),
            items: cart.lines.into_iter().map(ItemView::from).collect(),
        }
    }
}

impl From<PricedLine> for ItemView {
    fn from(line: PricedLine) -> Self {
        Self {
            product_id: line.product_id,
            price: line.price,
            quantity: line.quantity,
            subtotal: line.subtotal(),
            available: line.available,
            price_changed: line.price_changed,
            name: line.name,
        }
    }
}

/// Get the cart
///
/// With today's prices; while the catalogue is down, with the last known ones.
#[utoipa::path(
    get, path = "/api/v1/cart", operation_id = "get_cart", tag = "cart", security(("token" = [])),
    responses((status = 200, description = "The cart; an empty one has no items", body = CartView))
)]
pub async fn get_cart(State(state): State<AppState>, user: User) -> Result<Json<CartView>, Problem> {
    Ok(Json(app::view_cart(&state, user.id()).await?.into()))
}

/// Clear the cart
///
/// Takes everything out of it.
#[utoipa::path(
    delete, path = "/api/v1/cart", operation_id = "clear_cart", tag = "cart", security(("token" = [])),
    responses(
        (status = 200, description = "The cart is empty, whether or not it was", body = Done),
        Refusals<CartWriter>,
    )
)]
pub async fn clear_cart(
    State(state): State<AppState>,
    CartWriter(user): CartWriter,
) -> Result<Json<Done>, Problem> {
    store::delete_cart(&state.redis, user).await?;
    Ok(Json(Done { message: "The cart is empty" }))
}
