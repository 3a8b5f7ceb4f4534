//! Goods that arrive, or are found missing.

use chassis::database::commit;
use contracts::ProductId;

use crate::{
    AppState,
    domain::{
        catalogue::{StockOutOfRange, changed_stock},
        movement::{Movement, Reason},
    },
    store::{self, ProductRow},
};

#[derive(Debug, thiserror::Error)]
pub enum ChangeStockError {
    #[error("unknown product")]
    Unknown,
    /// It would be less than nothing, or too much.
    #[error(transparent)]
    OutOfRange(#[from] StockOutOfRange),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Adds to the free stock of a product, or takes away if `add` is negative. Returns what is free then. A note is kept even
/// if nothing is added: the stock was counted, and is right.
///
/// # Errors
/// If there is no such product, or the stock would be out of range.
pub async fn change_stock(
    state: &AppState,
    id: ProductId,
    add: i64,
    note: Option<&str>,
) -> Result<i64, ChangeStockError> {
    let mut tx = state.db.begin().await?;
    let present = store::lock_product(&mut tx, id).await?.ok_or(ChangeStockError::Unknown)?;
    let stock = changed_stock(present.stock, add)?;
    if add != 0 {
        store::update_product(&mut tx, id, &ProductRow { stock, ..present }).await?;
    }
    if add != 0 || note.is_some() {
        let movement = Movement { order_id: None, product_id: id, delta: add };
        store::insert_movements(&mut tx, Reason::Admin, &[movement], note).await?;
    }
    commit(tx).await?;
    state.catalogue_changed(&[id]).await;
    Ok(stock)
}
