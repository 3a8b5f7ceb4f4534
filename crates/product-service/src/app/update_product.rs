//! Changing a product on sale: what is left out stays, and a change of the stock leaves a movement.

use chassis::database::commit;
use contracts::{CategoryId, ProductId};
use sqlx::PgConnection;

use crate::{
    AppState,
    app::{list_products::add_held, unknown_categories, violates},
    domain::{
        catalogue::Product,
        movement::{Movement, Reason},
    },
    store::{self, ProductRow},
};

/// What to change; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub name: Option<String>,
    pub description: Option<String>,
    pub price: Option<i64>,
    pub stock: Option<i64>,
    /// The free units that the changes were made for: if there are others by now, nothing changes.
    pub expected_stock: Option<i64>,
    pub category_ids: Option<Vec<CategoryId>>,
}

#[derive(Debug, thiserror::Error)]
pub enum UpdateProductError {
    #[error("unknown product")]
    Unknown,
    #[error("the name is taken")]
    NameTaken,
    #[error("unknown categories")]
    UnknownCategories(Vec<CategoryId>),
    /// The stock is not what the caller thought it was.
    #[error("the stock is {0} by now")]
    StockChanged(i64),
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for UpdateProductError {
    fn from(error: sqlx::Error) -> Self {
        if violates(&error, "products_name_key") { Self::NameTaken } else { Self::Database(error) }
    }
}

/// Changes a product on sale. A changed stock is recorded as a movement.
///
/// # Errors
/// If there is no such product, its stock is another one than expected, its new name is taken, or a new category does
/// not exist.
pub async fn update_product(
    state: &AppState,
    id: ProductId,
    changes: Changes,
) -> Result<Product, UpdateProductError> {
    let mut tx = state.db.begin().await?;
    let present = store::lock_product(&mut tx, id).await?.ok_or(UpdateProductError::Unknown)?;
    if changes.expected_stock.is_some_and(|expected| expected != present.stock) {
        return Err(UpdateProductError::StockChanged(present.stock));
    }
    if let Some(categories) = &changes.category_ids {
        replace_categories(&mut tx, id, categories).await?;
    }
    let moved = changes.stock.map_or(0, |stock| stock - present.stock);
    if moved != 0 {
        let movement = Movement { order_id: None, product_id: id, delta: moved };
        store::insert_movements(&mut tx, Reason::Admin, &[movement], None).await?;
    }
    store::update_product(&mut tx, id, &changed(present, changes)).await?;
    let mut product = store::find_product(&mut tx, id).await?;
    add_held(&mut tx, product.as_mut_slice()).await?;
    commit(tx).await?;
    state.catalogue_changed(&[id]).await;
    product.ok_or(UpdateProductError::Unknown)
}

async fn replace_categories(
    db: &mut PgConnection,
    id: ProductId,
    categories: &[CategoryId],
) -> Result<(), UpdateProductError> {
    let unknown = unknown_categories(db, categories).await?;
    if !unknown.is_empty() {
        return Err(UpdateProductError::UnknownCategories(unknown));
    }
    Ok(store::update_categories(db, id, categories).await?)
}

fn changed(present: ProductRow, changes: Changes) -> ProductRow {
    ProductRow {
        name: changes.name.unwrap_or(present.name),
        description: changes.description.unwrap_or(present.description),
        price: changes.price.unwrap_or(present.price),
        stock: changes.stock.unwrap_or(present.stock),
    }
}
