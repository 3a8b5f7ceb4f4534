//! What is bought, and what it costs.

use std::sync::atomic::Ordering;

use contracts::{ProductId, UserId};

use super::PlaceOrderError;
use crate::{
    AppState,
    app::skip_taken_numbers,
    domain::{Basket, Cart, CartLine, NewOrder, Unorderable, price_lines},
};

/// What is ordered, and what it costs.
pub(super) async fn fill_basket(
    state: &AppState,
    buyer: UserId,
    new: &NewOrder,
) -> Result<Basket, PlaceOrderError> {
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
