//! `/cart`: the whole cart.

use axum::{Json, extract::State};
use chassis::{Problem, User};
use contracts::{ProductId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    App,
    app::view_cart,
    domain::{PricedCart, PricedLine},
    store,
};

/// A cart with what it costs today.
#[derive(Debug, Serialize, ToSchema)]
pub struct CartView {
    /// Its owner.
    user_id: UserId,
    /// Its products, in the order added.
    items: Vec<ItemView>,
    /// All units.
    #[schema(example = 2)]
    total_qty: i64,
    /// What it costs, in rupiah.
    #[schema(example = 900_000)]
    total_amt: i64,
}

/// A product in a cart.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemView {
    product_id: ProductId,
    #[schema(example = "Mechanical keyboard")]
    name: String,
    /// Today's price in rupiah; the last known one while the catalogue is down.
    #[schema(example = 450_000)]
    price: i64,
    #[schema(example = 2, minimum = 1, maximum = 1000)]
    quantity: i32,
    /// Price times quantity.
    #[schema(example = 900_000)]
    subtotal: i64,
    /// Whether so many can be bought.
    #[schema(example = true)]
    available: bool,
    /// Whether the price is another than when it was added.
    #[schema(example = false)]
    price_changed: bool,
}

/// The cart after a change.
#[derive(Debug, Serialize, ToSchema)]
pub struct CartChanged {
    #[schema(example = "The cart was changed")]
    message: &'static str,
    cart: CartView,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    #[schema(example = "The cart is empty")]
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

/// The cart with today's prices.
#[utoipa::path(
    get, path = "/api/v1/cart", operation_id = "get_cart", tag = "cart", security(("token" = [])),
    responses((status = 200, description = "The cart; an empty one has no items", body = CartView))
)]
pub async fn get_cart(State(app): State<App>, user: User) -> Result<Json<CartView>, Problem> {
    Ok(Json(view_cart::view_cart(&app, user.id()).await?.into()))
}

/// Empties the cart.
#[utoipa::path(
    delete, path = "/api/v1/cart", operation_id = "clear_cart", tag = "cart", security(("token" = [])),
    responses((status = 200, description = "The cart is empty, whether or not it was", body = Done))
)]
pub async fn clear_cart(State(app): State<App>, user: User) -> Result<Json<Done>, Problem> {
    store::delete_cart(&app.redis, user.id()).await?;
    Ok(Json(Done { message: "The cart is empty" }))
}
