//! Pages of the catalogue, and single products.
//!
//! Everybody gets what is in memory. An administrator sees what is held too, and decides by it: that is read each time.

use contracts::ProductId;
use sqlx::PgConnection;

use crate::{
    AppState,
    cache::ReadError,
    domain::catalogue::{Product, Search},
    store,
    view::Rendered,
};

/// A page of what a search finds, and how much it finds in all.
pub async fn list_products(
    state: &AppState,
    search: Search,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Rendered>, i64), ReadError> {
    state.catalogue.page(search, limit, offset).await
}

/// The same with what is held for open orders.
pub async fn list_products_with_held(
    state: &AppState,
    search: &Search,
    limit: i64,
    offset: i64,
) -> sqlx::Result<(Vec<Product>, i64)> {
    let mut db = state.db.acquire().await?;
    let total = store::count_products(&mut db, &search.filter).await?;
    let ids = store::list_product_ids(&mut db, search, total, limit, offset).await?;
    let mut products = store::list_products(&mut db, &ids).await?;
    products.sort_by_cached_key(|product| ids.iter().position(|id| *id == product.id));
    add_held(&mut db, &mut products).await?;
    Ok((products, total))
}

/// A product, if it is on sale, from what is kept in memory.
pub async fn find_product(state: &AppState, id: ProductId) -> Result<Option<Rendered>, ReadError> {
    state.catalogue.product(id).await
}

/// The same with what is held of it for open orders.
pub async fn find_product_with_held(state: &AppState, id: ProductId) -> sqlx::Result<Option<Product>> {
    let mut db = state.db.acquire().await?;
    let mut product = store::find_product(&mut db, id).await?;
    add_held(&mut db, product.as_mut_slice()).await?;
    Ok(product)
}

pub(super) async fn add_held(db: &mut PgConnection, products: &mut [Product]) -> sqlx::Result<()> {
    let ids: Vec<i64> = products.iter().map(|product| product.id.get()).collect();
    let held = store::list_held(db, &ids).await?;
    for product in products {
        product.held = Some(held.get(&product.id).copied().unwrap_or(0));
    }
    Ok(())
}
