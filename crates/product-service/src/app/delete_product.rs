//! Taking a product off sale: its row stays, because orders and holds refer to it.

use contracts::ProductId;

use crate::{AppState, store};

/// Takes a product off sale. Its name is free again; orders keep what they know of it, and its holds can still be
/// returned. Returns whether it was on sale.
pub async fn delete_product(state: &AppState, id: ProductId) -> sqlx::Result<bool> {
    let mut db = state.db.acquire().await?;
    let deleted = store::delete_product(&mut db, id).await?;
    state.catalogue_changed(&[id]).await;
    Ok(deleted)
}
