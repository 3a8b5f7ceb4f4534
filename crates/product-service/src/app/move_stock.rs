//! What happened to lines of orders, recorded and taken into the free stock.

use std::collections::BTreeMap;

use contracts::ProductId;
use sqlx::PgTransaction;

use crate::{
    domain::movement::{Movement, Reason},
    store,
};

/// Records movements of products that are locked, and changes the free stock by them. A sale changes none: its products
/// need no lock.
pub(super) async fn move_stock(
    tx: &mut PgTransaction<'_>,
    reason: Reason,
    movements: &[Movement],
) -> sqlx::Result<()> {
    if movements.is_empty() {
        return Ok(());
    }
    store::insert_movements(tx, reason, movements, None).await?;
    if reason == Reason::Sale {
        return Ok(());
    }
    let mut deltas: BTreeMap<ProductId, i64> = BTreeMap::new();
    for movement in movements {
        *deltas.entry(movement.product_id).or_default() += movement.delta;
    }
    store::add_to_stock(tx, &deltas).await
}
