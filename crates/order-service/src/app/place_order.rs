//! Places an order: what the cart holds, at the prices of this moment.

use std::sync::atomic::Ordering;

use chassis::limit::TooOften;
use contracts::{ProductId, UserId};
use messaging::outbox;
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

/// The route that keys are stored with. /order and /checkout are one route.
const ROUTE: &str = "order";
/// The answer to a request that was granted.
#[derive(Debug)]
pub struct PlacedOrder {
    pub receipt: Receipt,
    /// Whether an earlier request with the same key got this receipt.
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
    #[error("cart-service")]
    Cart(#[source] Status),
    #[error("product-service")]
    Product(#[source] Status),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The request or the receipt does not serialise.
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

/// Places an order, or gives the receipt again that the same key got before.
pub async fn place_order(
    state: &AppState,
    buyer: UserId,
    new: NewOrder,
    key: Option<&str>,
) -> Result<PlacedOrder, PlaceOrderError> {
    let request = serde_json::to_value(&new)?;
    let key = key.map(|key| Scoped { user: buyer, route: ROUTE, key });
    if let Some(key) = key
        && let Some(stored) =
            store::idempotency::find_reply(&mut *state.db.acquire().await?, key, &request).await?
    {
        return replay(stored);
    }
    state.rates.orders.check(&buyer)?;
    let basket = fill_basket(state, buyer, &new).await?;
    let mut tx = state.db.begin().await?;
    if let Some(key) = key
        && let Some(stored) = store::idempotency::claim_key(&mut tx, key, &request).await?
    {
        tx.rollback().await?;
        return replay(stored);
    }
    check_limits(state, &mut tx, buyer, &basket.lines).await?;
    let order = store::orders::insert_order(&mut tx, buyer, basket, new.shipping_address).await?;
    let row = outbox::append_row(&mut tx, order.created_event()).await?;
    store::reconciliation::set_awaited_row(&mut tx, order.id, row).await?;
    schedule_new(&mut tx, order.id).await?;
    let receipt = Receipt::from(order);
    if let Some(key) = key {
        store::idempotency::store_receipt(&mut tx, key, &receipt).await?;
    }
    state.outbox.commit(tx).await?;
    Ok(PlacedOrder { receipt, replayed: false })
}

fn replay(stored: StoredReply) -> Result<PlacedOrder, PlaceOrderError> {
    if !stored.same_request {
        return Err(PlaceOrderError::KeyReused);
    }
    Ok(PlacedOrder { receipt: serde_json::from_str(&stored.receipt)?, replayed: true })
}

/// What is ordered, and what it costs.
async fn fill_basket(state: &AppState, buyer: UserId, new: &NewOrder) -> Result<Basket, PlaceOrderError> {
    let only = new.product_ids.as_deref();
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
    let priced = price_lines(&cart, catalogue, new.expected_total);
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
