//! Locks that wait for others for a moment only: a row that somebody keeps locked holds up what needs it, and nothing
//! else.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{OrderId, ProductId};
use sqlx::{Connection, PgTransaction};

use crate::{
    domain::{allocation::Shelves, hold::Hold},
    store,
};

/// What there is of some products, locked, and those of them that somebody keeps locked.
pub(super) async fn lock_shelves(
    tx: &mut PgTransaction<'_>,
    products: &[i64],
) -> sqlx::Result<(Shelves, BTreeSet<ProductId>)> {
    let mut attempt = tx.begin().await?;
    store::limit_lock_waits(&mut attempt).await?;
    match store::lock_shelves(&mut attempt, products).await {
        Ok(shelves) => attempt.commit().await.map(|()| (shelves, BTreeSet::new())),
        Err(error) if is_lock_timeout(&error) => {
            attempt.rollback().await?;
            store::limit_lock_waits(tx).await?;
            store::lock_free_shelves(tx, products).await
        }
        Err(error) => Err(error),
    }
}

/// What is known of some orders, locked, and those of them that somebody keeps locked.
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
            store::lock_free_holds(tx, orders).await
        }
        Err(error) => Err(error),
    }
}

/// Whether a lock was not to be had in time (PostgreSQL's `lock_not_available`).
fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("55P03"))
}
