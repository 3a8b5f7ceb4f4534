//! Locks that are waited for for a moment only: a row that another transaction keeps locked delays what needs it, and
//! nothing else.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{OrderId, ProductId};
use sqlx::{Connection, PgTransaction};

use crate::{
    domain::{allocation::StockLevels, hold::Hold},
    store,
};

/// Locks the stock of products; the set has those that another transaction keeps locked.
pub(super) async fn lock_stock_levels(
    tx: &mut PgTransaction<'_>,
    products: &[i64],
) -> sqlx::Result<(StockLevels, BTreeSet<ProductId>)> {
    let mut attempt = tx.begin().await?;
    store::limit_lock_waits(&mut attempt).await?;
    match store::lock_stock_levels(&mut attempt, products).await {
        Ok(levels) => attempt.commit().await.map(|()| (levels, BTreeSet::new())),
        Err(error) if is_lock_timeout(&error) => {
            attempt.rollback().await?;
            store::limit_lock_waits(tx).await?;
            store::lock_unlocked_stock_levels(tx, products).await
        }
        Err(error) => Err(error),
    }
}

/// Locks the holds of orders; the set has those that another transaction keeps locked.
pub(super) async fn lock_holds(
    tx: &mut PgTransaction<'_>,
    orders: &[i64],
) -> sqlx::Result<(BTreeMap<OrderId, Hold>, BTreeSet<OrderId>)> {
    let mut attempt = tx.begin().await?;
    store::limit_lock_waits(&mut attempt).await?;
    match store::lock_holds(&mut attempt, orders).await {
        Ok(holds) => attempt.commit().await.map(|()| (holds, BTreeSet::new())),
        Err(error) if is_lock_timeout(&error) => {
            attempt.rollback().await?;
            store::limit_lock_waits(tx).await?;
            store::lock_unlocked_holds(tx, orders).await
        }
        Err(error) => Err(error),
    }
}

/// PostgreSQL's `lock_not_available`.
fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("55P03"))
}
