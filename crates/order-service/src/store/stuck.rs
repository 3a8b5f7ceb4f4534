//! Orders that nothing has happened to for too long, by the database's clock.

use std::time::Duration;

use contracts::{DeliveryId, OrderId, UserId};
use sqlx::{PgConnection, Result};
use time::OffsetDateTime;

use crate::domain::Status;

/// An order that was taken up, with a lease of [`chassis::jobs::LEASE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stuck {
    /// The order.
    pub id: OrderId,
    /// Its buyer.
    pub user_id: UserId,
    /// Where it stands.
    pub status: Status,
    /// The end of the lease. As long as the order is due then, nothing has happened to it.
    pub leased_until: OffsetDateTime,
    /// How often it was taken up since it last changed, this time included.
    pub checks: i32,
    /// The outbox row of the event that asks for what comes next.
    pub awaited_row: Option<i64>,
    /// Whether it is so old that nobody may answer any more.
    pub overdue: bool,
}

/// Takes up orders of one status that are due, those first that have been for longest. One that is being cancelled is
/// left to its cancellation.
pub async fn claim_stuck_orders(db: &mut PgConnection, status: Status, limit: i64) -> Result<Vec<Stuck>> {
    sqlx::query_as!(
        Stuck,
        r#"update orders set check_at = now() + interval '15 seconds', checks = checks + 1
        where id in (
            select id from orders
            where status = $1 and check_at <= now()
                and not exists (select from cancellations where order_id = orders.id)
            order by check_at limit $2
            for update skip locked
        )
        returning
            id as "id: OrderId",
            user_id as "user_id: UserId",
            status as "status: Status",
            check_at as "leased_until!",
            checks,
            awaited_row,
            created_at <= now() - interval '15 minutes' as "overdue!""#,
        status.as_str(),
        limit
    )
    .fetch_all(db)
    .await
}

/// Ends the lease of an order that nothing has happened to: it is due again after a pause, and a RECEIVED one at its
/// deadline at the latest.
pub async fn schedule_check(db: &mut PgConnection, stuck: Stuck, pause: Duration) -> Result<()> {
    sqlx::query!(
        "update orders set check_at = least(
            now() + make_interval(secs => $3),
            case status when 'RECEIVED' then created_at + interval '15 minutes' end
        )
        where id = $1 and check_at = $2",
        stuck.id.get(),
        stuck.leased_until,
        pause.as_secs_f64()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps which outbox row the order's next change waits for.
pub async fn update_awaited_row(db: &mut PgConnection, id: OrderId, row: i64) -> Result<()> {
    sqlx::query!("update orders set awaited_row = $2 where id = $1", id.get(), row).execute(db).await?;
    Ok(())
}

/// The goods of a RECEIVED order are held, and only its page is missing: nobody needs to be reminded, so the next look is
/// at its deadline.
pub async fn await_page(db: &mut PgConnection, id: OrderId) -> Result<()> {
    sqlx::query!(
        "update orders set check_at = created_at + interval '15 minutes'
        where id = $1 and status = 'RECEIVED' and check_at < created_at + interval '15 minutes'",
        id.get()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// payment-service does not know a RECEIVED order: it is looked at now, and not at its deadline.
pub async fn check_now(db: &mut PgConnection, id: OrderId) -> Result<()> {
    sqlx::query!(
        "update orders set check_at = now()
        where id = $1 and status = 'RECEIVED' and check_at >= created_at + interval '15 minutes'
            and created_at > now() - interval '15 minutes'",
        id.get()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps the delivery of a paid order, which then needs no looking after.
pub async fn update_delivery(db: &mut PgConnection, stuck: Stuck, delivery: DeliveryId) -> Result<()> {
    sqlx::query!(
        "update orders set delivery_id = $3, check_at = null where id = $1 and status = 'PAID' and check_at = $2",
        stuck.id.get(),
        stuck.leased_until,
        delivery.get()
    )
    .execute(db)
    .await?;
    Ok(())
}
