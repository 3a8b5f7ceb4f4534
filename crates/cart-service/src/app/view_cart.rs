//! A user looks at the cart.

use contracts::UserId;

use crate::{
    AppState,
    domain::{Line, PricedCart, Today},
    store::{self, StoreError},
};

/// The cart with today's prices; with the last known ones while product-service is down.
///
/// # Errors
/// If the cart cannot be read.
pub async fn view_cart(state: &AppState, user_id: UserId) -> Result<PricedCart, StoreError> {
    let lines = store::list_lines(&state.redis, user_id).await?;
    Ok(price_now(state, user_id, &lines).await)
}

/// Asks product-service about the lines and prices them.
pub(super) async fn price_now(state: &AppState, user_id: UserId, lines: &[Line]) -> PricedCart {
    let today = match state.products.today(lines.iter().map(|line| line.product_id)).await {
        Ok(today) => today,
        Err(status) => {
            tracing::warn!(%status, "product-service does not answer: the last known prices are shown");
            Today::new()
        }
    };
    price(state, user_id, lines, &today).await
}

/// Prices the lines, and keeps what is new for a time when product-service is down.
pub(super) async fn price(state: &AppState, user_id: UserId, lines: &[Line], today: &Today) -> PricedCart {
    let news = lines.iter().filter_map(|line| Some((line.product_id, line.news(today)?)));
    let news: Vec<_> = news.collect();
    if !news.is_empty()
        && let Err(error) = store::update_known(&state.redis, user_id, &news).await
    {
        tracing::warn!(%error, "what is known of products was not kept");
    }
    PricedCart { user_id, lines: lines.iter().map(|line| line.priced(today)).collect() }
}
