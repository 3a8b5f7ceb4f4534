//! Places an order: what the cart holds at this moment, at today's prices.

use std::sync::atomic::Ordering;

use chassis::limit::TooOften;
use contracts::{OrderId, ProductId, UserId};
use messaging::outbox;
use serde_json::Value;
use tonic::Status;

use super::{
    check_limits::check_limits,
    reconcile_orders::schedule_new,
    skip_numbers::{SkipNumbersError, skip_taken_numbers},
};
use crate::{
    AppState,
    domain::{Basket, Cart, CartLine, NewOrder, OverLimit, Receipt, Unorderable, price_lines},
    store::{
        self,
        idempotency::{Scoped, StoredReply},
    },
};

/// What keys of this use case are filed under. /order and /checkout are one route.
const ROUTE: &str = "order";
/// The status of the reply, as it is stored with a key.
const CREATED: i16 = 201;

/// The reply to a wish that was granted.
#[derive(Debug)]
pub struct PlacedOrder {
    /// The order.
    pub id: OrderId,
    /// The body: a [`Receipt`] in JSON, the same bytes for every repetition.
    pub body: String,
    /// Whether the reply was given before.
    pub replayed: bool,
}

/// Why nothing was ordered.
#[derive(Debug, thiserror::Error)]
pub enum PlaceOrderError {
    /// The cart does not allow it.
    #[error("the cart cannot be ordered")]
    Unorderable(Unorderable),
    /// These products are not in the cart.
    #[error("some products are not in the cart")]
    NotInCart(Vec<ProductId>),
    /// The buyer would keep too much without having paid for it.
    #[error("the buyer would exceed {0:?}")]
    OverLimit(OverLimit),
    /// The buyer orders too often.
    #[error(transparent)]
    TooOften(#[from] TooOften),
    /// The key was used for another request.
    #[error("the Idempotency-Key was used for another request")]
    KeyReused,
    /// cart-service did not help.
    #[error("cart-service")]
    Cart(#[source] Status),
    /// product-service did not help.
    #[error("product-service")]
    Product(#[source] Status),
    /// The database did not help.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The wish or the reply does not serialise.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl From<SkipNumbersError> for PlaceOrderError {
    fn from(error: SkipNumbersError) -> Self {
        match error {
            SkipNumbersError::Product(status) => Self::Product(status),
            SkipNumbersError::Database(error) => Self::Database(error),
        }
    }
}

/// Places an order, or gives the reply that was given to the same key before.
pub async fn place_order(
    state: &AppState,
    buyer: UserId,
    wish: NewOrder,
    key: Option<&str>,
) -> Result<PlacedOrder, PlaceOrderError> {
    let request = serde_json::to_value(&wish)?;
    let key = key.map(|key| Scoped { user: buyer, route: ROUTE, key });
    if let Some(key) = key
        && let Some(reply) = stored_reply(state, key, &request).await?
    {
        return Ok(reply);
    }
    state.rates.orders.check(&buyer)?;
    let basket = fill_basket(state, buyer, &wish).await?;
    let mut tx = state.db.begin().await?;
    if let Some(key) = key
        && !store::idempotency::insert_key(&mut tx, key, &request).await?
    {
        tx.rollback().await?;
        // A twin has just been committed under this key; keys stay for a day.
        return stored_reply(state, key, &request)
            .await?
            .ok_or(PlaceOrderError::Database(sqlx::Error::RowNotFound));
    }
    check_limits(state, &mut tx, buyer, &basket.lines).await?;
    let order = store::orders::insert_order(&mut tx, buyer, basket, wish.shipping_address).await?;
    let row = outbox::append_row(&mut tx, order.created_event()).await?;
    store::reconciliation::set_awaited_row(&mut tx, order.id, row).await?;
    schedule_new(&mut tx, order.id).await?;
    let body =
        serde_json::to_string(&Receipt { message: "Order received", order_id: order.id, order: &order })?;
    if let Some(key) = key {
        store::idempotency::update_reply(&mut tx, key, CREATED, order.id, &body).await?;
    }
    state.outbox.commit(tx).await?;
    Ok(PlacedOrder { id: order.id, body, replayed: false })
}

async fn stored_reply(
    state: &AppState,
    key: Scoped<'_>,
    request: &Value,
) -> Result<Option<PlacedOrder>, PlaceOrderError> {
    let mut db = state.db.acquire().await?;
    match store::idempotency::find_reply(&mut db, key, request).await? {
        None => Ok(None),
        Some(StoredReply { same_request: false, .. }) => Err(PlaceOrderError::KeyReused),
        Some(StoredReply { order_id, body, .. }) => {
            Ok(Some(PlacedOrder { id: order_id, body, replayed: true }))
        }
    }
}

/// What is ordered, and what it costs.
async fn fill_basket(state: &AppState, buyer: UserId, wish: &NewOrder) -> Result<Basket, PlaceOrderError> {
    let only = wish.product_ids.as_deref();
    let Cart { lines: cart, read_at } =
        state.clients.cart(buyer, only).await.map_err(PlaceOrderError::Cart)?;
    let missing = missing(&cart, only.unwrap_or_default());
    if !missing.is_empty() {
        return Err(PlaceOrderError::NotInCart(missing));
    }
    if cart.is_empty() {
        return Err(PlaceOrderError::Unorderable(Unorderable::Empty));
    }
    let catalogue = state.clients.products_on_sale(&cart).await.map_err(PlaceOrderError::Product)?;
    let priced = price_lines(&cart, catalogue, wish.expected_total);
    let (lines, total) = priced.map_err(PlaceOrderError::Unorderable)?;
    if !state.numbers_are_free.load(Ordering::Relaxed) {
        skip_taken_numbers(state).await?;
    }
    Ok(Basket { lines, total, read_at })
}

fn missing(cart: &[CartLine], wanted: &[ProductId]) -> Vec<ProductId> {
    let in_cart = |id: &ProductId| cart.iter().any(|line| line.product_id == *id);
    wanted.iter().copied().filter(|id| !in_cart(id)).collect()
}
