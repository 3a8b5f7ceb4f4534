//! What this service does, a file per use case. Only here are transactions opened and committed, except for those of the
//! events, which the consumer opens and commits.

pub mod change_stock;
pub mod create_product;
pub mod delete_product;
pub mod edit_categories;
pub mod hold_stock;
pub mod list_products;
mod lock_rows;
pub mod refold_names;
pub mod release_hold;
pub mod return_goods;
pub mod seed_catalogue;
pub mod sell_holds;
pub mod update_product;

use contracts::{CategoryId, events::Subject};
use messaging::HandlerError;
use sqlx::PgConnection;

use crate::{domain::hold::Hold, store};

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
