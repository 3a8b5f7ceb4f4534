//! A user views the cart: its lines with the names and prices of this moment.

use contracts::UserId;

use crate::{
    AppState,
    domain::{CatalogueSnapshot, Line, PricedCart},
    store::{self, StoreError},
};

/// The cart with the prices of the last second; with the cached ones while product-service is down.
///
/// # Errors
/// If the cart cannot be read.
pub async fn view_cart(state: &AppState, user_id: UserId) -> Result<PricedCart, StoreError> {
    let lines = store::list_lines(&state.redis, user_id).await?;
    Ok(price_now(state, user_id, &lines).await)
}

/// Prices the lines, and caches what changed for a time when product-service is down.
pub(super) async fn price_now(state: &AppState, user_id: UserId, lines: &[Line]) -> PricedCart {
    let snapshot = match state.products.snapshot(lines.iter().map(|line| line.product_id)).await {
        Ok(snapshot) => snapshot,
        Err(status) => {
            tracing::warn!(%status, "product-service did not answer: the cached prices were shown");
            CatalogueSnapshot::new()
        }
    };
    let changed = lines.iter().filter_map(|line| Some((line.product_id, line.changed_product(&snapshot)?)));
    let changed: Vec<_> = changed.collect();
    if !changed.is_empty()
        && let Err(error) = store::cache_products(&state.redis, user_id, &changed).await
    {
        tracing::warn!(%error, "changed products were not cached in the cart");
    }
    PricedCart { user_id, lines: lines.iter().map(|line| line.priced(&snapshot)).collect() }
}
