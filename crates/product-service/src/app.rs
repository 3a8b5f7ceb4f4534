//! The use cases, one file each. Only here are transactions opened and committed, except for those of the events, which
//! the consumer opens and commits.

mod change_stock;
mod create_product;
mod delete_product;
mod edit_categories;
mod hold_stock;
mod list_products;
mod lock_rows;
mod move_stock;
mod refold_names;
mod release_holds;
mod return_goods;
mod seed_catalogue;
mod sell_holds;
mod update_product;

use contracts::{CategoryId, events::Subject};
use messaging::HandlerError;
use sqlx::PgConnection;

use crate::{domain::hold::Hold, store};

pub use self::{
    change_stock::{ChangeStockError, change_stock},
    create_product::{CreateProductError, create_product},
    delete_product::delete_product,
    edit_categories::{EditCategoryError, create_category, delete_category, rename_category},
    hold_stock::hold_stock,
    list_products::{find_product, find_product_with_held, list_products, list_products_with_held},
    refold_names::refold_names,
    release_holds::release_holds,
    return_goods::{ReturnGoodsError, return_goods},
    seed_catalogue::seed_catalogue,
    sell_holds::sell_holds,
    update_product::{Changes, UpdateProductError, update_product},
};

/// Refuses an event about another order that had the number of the one that is known.
fn require_same_order(known: Option<&Hold>, subject: Option<Subject>) -> Result<(), HandlerError> {
    match (known, subject) {
        (Some(known), Some(subject)) if !known.is_of(&subject) => {
            let id = subject.order_id;
            Err(HandlerError::reject(format!("order {id} is known with another buyer or price")))
        }
        _ => Ok(()),
    }
}

/// Those of the categories that do not exist. The others stay until the end of the transaction.
async fn unknown_categories(db: &mut PgConnection, wanted: &[CategoryId]) -> sqlx::Result<Vec<CategoryId>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let known = store::lock_categories(db, wanted).await?;
    Ok(wanted.iter().filter(|id| !known.contains(id)).copied().collect())
}

/// Whether a statement failed because of this constraint.
fn violates(error: &sqlx::Error, constraint: &str) -> bool {
    error.as_database_error().is_some_and(|error| error.constraint() == Some(constraint))
}
