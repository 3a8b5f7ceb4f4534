//! Pages of the catalogue, and single products.

use contracts::ProductId;
use sqlx::PgConnection;

use crate::{
    AppState,
    domain::catalogue::{Product, Search},
    store,
};

#[derive(Debug)]
pub struct Listing {
    pub products: Vec<Product>,
    pub total: i64,
}

/// A page of what a search finds; `with_held` adds what is held for open orders.
pub async fn list_products(
    state: &AppState,
    search: &Search,
    limit: i64,
    offset: i64,
    with_held: bool,
) -> sqlx::Result<Listing> {
    let mut db = state.db.acquire().await?;
    let (mut products, total) = store::list_products(&mut db, search, limit, offset).await?;
    let total = match total {
        Some(total) => total,
        None if offset == 0 => 0,
        None => store::count_products(&mut db, search).await?,
    };
    if with_held {
        add_held(&mut db, &mut products).await?;
    }
    Ok(Listing { products, total })
}

/// A product on sale; `with_held` adds what is held of it for open orders.
pub async fn find_product(state: &AppState, id: ProductId, with_held: bool) -> sqlx::Result<Option<Product>> {
    let mut db = state.db.acquire().await?;
    let mut product = store::find_product(&mut db, id).await?;
    if with_held {
        add_held(&mut db, product.as_mut_slice()).await?;
    }
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
