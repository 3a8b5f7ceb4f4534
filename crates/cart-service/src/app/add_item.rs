//! A user puts a product into the cart.

use contracts::{ProductId, UserId};
use tonic::Status;

use super::view_cart::price_now;
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

/// Adds units of a product as it is now, and returns the cart.
///
/// # Errors
/// As listed by [`AddItemError`].
pub async fn add_item(
    state: &AppState,
    user_id: UserId,
    product_id: ProductId,
    quantity: i32,
) -> Result<PricedCart, AddItemError> {
    let product = state.products.now(product_id).await?.ok_or(AddItemError::UnknownProduct)?;
    let added = store::add_line(&state.redis, user_id, product_id, quantity, &product).await?;
    let lines = added.ok_or(AddItemError::LimitReached)?;
    Ok(price_now(state, user_id, &lines).await)
}
