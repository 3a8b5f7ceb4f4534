//! A user puts a product into the cart.

use contracts::{ProductId, UserId};
use tonic::Status;

use super::view_cart::price;
use crate::{
    AppState,
    domain::PricedCart,
    store::{self, StoreError},
};

#[derive(Debug, thiserror::Error)]
pub enum AddItemError {
    #[error("there is no such product")]
    UnknownProduct,
    /// There would be too many units or lines.
    #[error("the cart would hold too much")]
    LimitReached,
    #[error("product-service does not answer")]
    Products(#[from] Status),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Adds units of a product, and returns the cart. product-service is asked once, for the whole cart.
///
/// # Errors
/// As listed by [`AddItemError`].
pub async fn add_item(
    state: &AppState,
    user_id: UserId,
    product_id: ProductId,
    quantity: i32,
) -> Result<PricedCart, AddItemError> {
    let before = store::list_lines(&state.redis, user_id).await?;
    let ids = before.iter().map(|line| line.product_id).chain([product_id]);
    let snapshot = state.products.snapshot(ids).await?;
    let product = snapshot.get(&product_id).and_then(Option::as_ref).ok_or(AddItemError::UnknownProduct)?;
    let added = store::add_line(&state.redis, user_id, product_id, quantity, product).await?;
    let lines = added.ok_or(AddItemError::LimitReached)?;
    Ok(price(state, user_id, &lines, &snapshot).await)
}
