//! Locks that are waited for for a moment only: a row that another transaction keeps locked delays what needs it, and
//! nothing else.

use std::collections::BTreeSet;

use contracts::ProductId;
use sqlx::{Connection, PgTransaction};

use crate::{domain::allocation::StockLevels, store};

/// Locks the stock of products; the set has those that another transaction keeps locked.
pub(super) async fn lock_stock_levels(
    tx: &mut PgTransaction<'_>,
    products: &[i64],
) -> sqlx::Result<(StockLevels, BTreeSet<ProductId>)> {
    let mut attempt = tx.begin().await?;
    match store::lock_stock_levels(&mut attempt, products).await {
        Ok(levels) => attempt.commit().await.map(|()| (levels, BTreeSet::new())),
        Err(error) if is_lock_timeout(&error) => {
            attempt.rollback().await?;
            store::lock_unlocked_stock_levels(tx, products).await
        }
        Err(error) => Err(error),
    }
}

/// Whether PostgreSQL gave up waiting for a row: SQLSTATE 55P03, `lock_not_available`.
fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("55P03"))
}
