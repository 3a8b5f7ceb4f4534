//! What is needed to reconcile an order that nothing has happened to for too long.

use contracts::{DeliveryId, OrderId, UserId};
use sqlx::{PgConnection, Result};

use crate::domain::Status;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StuckOrder {
    pub user_id: UserId,
    /// The outbox row of the event that asks for what comes next.
    pub awaited_row: Option<i64>,
    pub is_being_cancelled: bool,
}

/// An order that still is in a state.
pub async fn find_stuck_order(
    db: &mut PgConnection,
    id: OrderId,
    status: Status,
) -> Result<Option<StuckOrder>> {
    sqlx::query_as!(
        StuckOrder,
        r#"select
            user_id as "user_id: UserId",
            awaited_row,
            exists(select from cancellations where order_id = orders.id) as "is_being_cancelled!"
        from orders where id = $1 and status = $2"#,
        id.get(),
        status.as_str()
    )
    .fetch_optional(db)
    .await
}

/// Keeps which outbox row the order's next change waits for.
pub async fn set_awaited_row(db: &mut PgConnection, id: OrderId, row: i64) -> Result<()> {
    sqlx::query!("update orders set awaited_row = $2 where id = $1", id.get(), row).execute(db).await?;
    Ok(())
}

/// Keeps the delivery of a paid order whose `DeliveryShipped` has not come yet.
pub async fn record_delivery(db: &mut PgConnection, id: OrderId, delivery: DeliveryId) -> Result<()> {
    sqlx::query!(
        "update orders set delivery_id = $2 where id = $1 and status = 'PAID'",
        id.get(),
        delivery.get()
    )
    .execute(db)
    .await?;
    Ok(())
}
