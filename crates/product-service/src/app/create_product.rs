//! Putting a product on sale: the row, its categories and the first movement of its stock are one commit.

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
    store::{self, NewProduct},
};

#[derive(Debug, thiserror::Error)]
pub enum CreateProductError {
    #[error("the name is taken")]
    NameTaken,
    #[error("unknown categories")]
    UnknownCategories(Vec<CategoryId>),
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for CreateProductError {
    fn from(error: sqlx::Error) -> Self {
        if violates(&error, "products_name_key") { Self::NameTaken } else { Self::Database(error) }
    }
}

/// Puts a product on sale.
///
/// # Errors
/// If its name is taken or a category does not exist.
pub async fn create_product(
    state: &AppState,
    new: &NewProduct<'_>,
    categories: &[CategoryId],
) -> Result<Product, CreateProductError> {
    let mut tx = state.db.begin().await?;
    let unknown = unknown_categories(&mut tx, categories).await?;
    if !unknown.is_empty() {
        return Err(CreateProductError::UnknownCategories(unknown));
    }
    let id = add(&mut tx, new, categories, Reason::Admin).await?;
    let mut product = store::find_product(&mut tx, id).await?;
    add_held(&mut tx, product.as_mut_slice()).await?;
    commit(tx).await?;
    state.catalogue_changed(&[id]).await;
    product.ok_or(CreateProductError::Database(sqlx::Error::RowNotFound))
}

/// Writes a product with its categories and the record of its first stock.
pub(super) async fn add(
    db: &mut PgConnection,
    new: &NewProduct<'_>,
    categories: &[CategoryId],
    reason: Reason,
) -> sqlx::Result<ProductId> {
    let id = store::insert_product(db, new).await?;
    if !categories.is_empty() {
        store::update_categories(db, id, categories).await?;
    }
    if new.stock > 0 {
        let movement = Movement { order_id: None, product_id: id, delta: new.stock };
        store::insert_movements(db, reason, &[movement], None).await?;
    }
    Ok(id)
}
