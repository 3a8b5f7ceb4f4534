//! Orders that may be stuck, by the database's clock.

use contracts::{DeliveryId, OrderId};
use sqlx::{PgConnection, Result};
use time::OffsetDateTime;

use crate::domain::Status;

/// An order that nothing has happened to for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stuck {
    /// The order.
    pub id: OrderId,
    /// Where it stands.
    pub status: Status,
    /// When it is due again.
    pub check_at: OffsetDateTime,
    /// Whether it is so old that nobody may answer any more.
    pub overdue: bool,
}

/// Takes up orders that are due. Each is due again in a minute, unless it moves on before.
pub async fn claim_stuck_orders(db: &mut PgConnection, limit: i64) -> Result<Vec<Stuck>> {
    sqlx::query_as!(
        Stuck,
        r#"update orders set check_at = now() + interval '60 seconds'
        where id in (
            select id from orders where check_at <= now() order by check_at limit $1 for update skip locked
        )
        returning
            id as "id: OrderId",
            status as "status: Status",
            check_at as "check_at!",
            created_at <= now() - interval '15 minutes' as "overdue!""#,
        limit
    )
    .fetch_all(db)
    .await
}

/// Has a paid order looked after soon: what is begun now must be finished even if this process dies.
pub async fn update_check_soon(db: &mut PgConnection, id: OrderId) -> Result<()> {
    sqlx::query!(
        "update orders set check_at = now() + interval '30 seconds' where id = $1 and status = 'PAID'",
        id.get()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps the delivery of a paid order, which then needs no looking after, unless somebody has asked for it meanwhile.
pub async fn update_delivery(db: &mut PgConnection, stuck: Stuck, delivery: DeliveryId) -> Result<()> {
    sqlx::query!(
        "update orders set delivery_id = $3, check_at = null where id = $1 and status = 'PAID' and check_at = $2",
        stuck.id.get(),
        stuck.check_at,
        delivery.get()
    )
    .execute(db)
    .await?;
    Ok(())
}
