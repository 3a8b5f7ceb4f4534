//! Places an order: what the cart holds, at the prices of this moment. Orders that are placed at the same time are placed
//! in one transaction.

mod fill_basket;
mod group;

use chassis::{User, context, limit::TooOften};
use contracts::{ProductId, UserId};
use serde_json::Value;
use tonic::Status;

use super::skip_numbers::SkipNumbersError;
use crate::{
    AppState,
    domain::{NewOrder, OverLimit, Placement, Receipt, Unorderable},
    store::{
        self,
        idempotency::{Scoped, StoredReply},
    },
};
use fill_basket::fill_basket;

/// The route that keys are stored with. /order and /checkout are one route.
const ROUTE: &str = "order";

/// The answer to a request that was granted.
#[derive(Debug)]
pub struct PlacedOrder {
    pub receipt: Receipt,
    /// Whether an earlier request with the same key got this receipt.
    pub replayed: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum PlaceOrderError {
    /// The cart does not allow it.
    #[error("the cart cannot be ordered")]
    Unorderable(Unorderable),
    /// These products are not in the cart.
    #[error("some products are not in the cart")]
    NotInCart(Vec<ProductId>),
    /// The shop sells only to whoever has shown that the account's e-mail address is theirs.
    #[error("the e-mail address is not verified")]
    EmailNotVerified,
    /// The buyer would keep too much without having paid for it.
    #[error("the buyer would exceed {0:?}")]
    OverLimit(OverLimit),
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
    user: &User,
    new: NewOrder,
    key: Option<String>,
) -> Result<PlacedOrder, PlaceOrderError> {
    let buyer = user.id();
    let request = serde_json::to_value(&new)?;
    if let Some(stored) = find_reply(state, buyer, key.as_deref(), &request).await? {
        return replay(stored);
    }
    if state.require_verified_email && !user.0.email_verified {
        return Err(PlaceOrderError::EmailNotVerified);
    }
    state.rates.orders.check(&buyer)?;
    let basket = fill_basket(state, buyer, &new).await?;
    let (address, trace) = (new.shipping_address, context::current());
    let placement = Placement { buyer, basket, address, key, request, trace };
    state.placements.submit(state, placement).await.map_err(sqlx::Error::from)?
}

async fn find_reply(
    state: &AppState,
    user: UserId,
    key: Option<&str>,
    request: &Value,
) -> sqlx::Result<Option<StoredReply>> {
    let Some(key) = key else { return Ok(None) };
    let scoped = Scoped { user, route: ROUTE, key };
    store::idempotency::find_reply(&mut *state.db.acquire().await?, scoped, request).await
}

fn replay(stored: StoredReply) -> Result<PlacedOrder, PlaceOrderError> {
    if !stored.same_request {
        return Err(PlaceOrderError::KeyReused);
    }
    Ok(PlacedOrder { receipt: serde_json::from_str(&stored.receipt)?, replayed: true })
}
