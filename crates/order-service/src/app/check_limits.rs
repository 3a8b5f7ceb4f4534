//! Refuses an order by which one buyer would keep too much from the others.

use contracts::UserId;
use sqlx::PgTransaction;

use super::place_order::PlaceOrderError;
use crate::{AppState, domain::Line, store};

/// Counts under a lock of the buyer, so that orders placed at the same time count one another.
pub(super) async fn check_limits(
    state: &AppState,
    tx: &mut PgTransaction<'_>,
    buyer: UserId,
    lines: &[Line],
) -> Result<(), PlaceOrderError> {
    let limits = state.limits;
    let counts_units = limits.units > 0 || limits.units_of_product > 0;
    if limits.orders > 0 || counts_units {
        store::buyers::lock_buyer(tx, buyer).await?;
    }
    if limits.orders > 0 {
        let open = store::buyers::count_open_orders(tx, buyer).await?;
        limits.check_orders(open).map_err(PlaceOrderError::OverLimit)?;
    }
    if counts_units {
        let held = store::buyers::list_held_units(tx, buyer).await?;
        limits.check_units(held, lines).map_err(PlaceOrderError::OverLimit)?;
    }
    Ok(())
}
