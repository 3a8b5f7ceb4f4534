//! A user changes how many units of a product are in the cart.

use contracts::{ProductId, UserId};

use super::view_cart::price_now;
use crate::{
    AppState,
    domain::PricedCart,
    store::{self, StoreError},
};

#[derive(Debug, thiserror::Error)]
pub enum SetQuantityError {
    #[error("the product is not in the cart")]
    NotInCart,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sets the units of a product, and returns the cart.
///
/// # Errors
/// As listed by [`SetQuantityError`].
pub async fn set_quantity(
    state: &AppState,
    user_id: UserId,
    product_id: ProductId,
    quantity: i32,
) -> Result<PricedCart, SetQuantityError> {
    let set = store::update_quantity(&state.redis, user_id, product_id, quantity).await?;
    let lines = set.ok_or(SetQuantityError::NotInCart)?;
    Ok(price_now(state, user_id, &lines).await)
}
