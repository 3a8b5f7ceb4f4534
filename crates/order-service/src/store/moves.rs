//! Changes of orders, together with the rows of their timelines.

use contracts::{DeliveryId, OrderId};
use sqlx::{PgConnection, Result};
use time::OffsetDateTime;

use crate::domain::{State, Status};

/// A change of an order's state.
#[derive(Debug)]
pub struct Move {
    pub id: OrderId,
    /// The state that the change was decided for.
    pub from: Status,
    pub to: State,
    pub cause: &'static str,
    pub detail: Option<String>,
    /// The outbox row of the event that the next change waits for.
    pub awaited_row: Option<i64>,
}

/// Moves orders that are locked, with the rows of their timelines. A cancellation that waits for an answer ends with any
/// move: it was requested for the state before.
///
/// # Errors
/// If one is not in the state that it is to be moved from: whoever moves it has not locked it.
pub async fn move_orders(db: &mut PgConnection, moves: &[Move]) -> Result<()> {
    if moves.is_empty() || update_orders(db, moves).await? == moves.len() as u64 {
        return Ok(());
    }
    Err(sqlx::Error::Decode("an order is not in the state any more that it is to be moved from".into()))
}

/// Returns how many of the orders were in the state that they are moved from.
async fn update_orders(db: &mut PgConnection, moves: &[Move]) -> Result<u64> {
    let ids: Vec<i64> = moves.iter().map(|change| change.id.get()).collect();
    let from: Vec<&str> = moves.iter().map(|change| change.from.as_str()).collect();
    let to: Vec<&str> = moves.iter().map(|change| change.to.status().as_str()).collect();
    let urls: Vec<Option<&str>> =
        moves.iter().map(|change| change.to.page().map(|page| page.url.as_str())).collect();
    let expires: Vec<Option<OffsetDateTime>> =
        moves.iter().map(|change| change.to.page().map(|page| page.expires)).collect();
    let deliveries: Vec<Option<i64>> =
        moves.iter().map(|change| change.to.delivery().map(DeliveryId::get)).collect();
    let refunded: Vec<Option<i64>> = moves.iter().map(|change| change.to.refunded()).collect();
    let reasons: Vec<Option<&str>> = moves.iter().map(|change| change.to.failure_reason()).collect();
    let awaited: Vec<Option<i64>> = moves.iter().map(|change| change.awaited_row).collect();
    let causes: Vec<&str> = moves.iter().map(|change| change.cause).collect();
    let details: Vec<Option<&str>> = moves.iter().map(|change| change.detail.as_deref()).collect();
    let updated = sqlx::query!(
        "with moved as (
            update orders set
                status = change.to_status,
                payment_url = change.url,
                payment_expires = change.expires,
                delivery_id = coalesce(change.delivery, delivery_id),
                refunded_amount = greatest(refunded_amount, change.refunded),
                failure_reason = change.reason,
                awaited_row = change.awaited,
                updated_at = clock_timestamp()
            from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[], $7::bigint[],
                $8::text[], $9::bigint[], $10::text[], $11::text[])
                as change (id, from_status, to_status, url, expires, delivery, refunded, reason, awaited, cause, detail)
            where orders.id = change.id and status = change.from_status
            returning orders.id, change.from_status, change.to_status, change.cause, change.detail
        ), overtaken as (
            delete from cancellations where order_id in (select id from moved)
        )
        insert into order_history (order_id, from_status, to_status, cause, detail) select * from moved",
        &ids,
        &from as &[&str],
        &to as &[&str],
        &urls as &[Option<&str>],
        &expires as &[Option<OffsetDateTime>],
        &deliveries as &[Option<i64>],
        &refunded as &[Option<i64>],
        &reasons as &[Option<&str>],
        &awaited as &[Option<i64>],
        &causes as &[&str],
        &details as &[Option<&str>]
    )
    .execute(db)
    .await?;
    Ok(updated.rows_affected())
}

/// Records what was refunded of orders in all. Refunds may arrive out of order: the sum never falls.
pub async fn record_refunds(db: &mut PgConnection, refunds: &[(OrderId, i64)]) -> Result<()> {
    if refunds.is_empty() {
        return Ok(());
    }
    let (ids, totals): (Vec<i64>, Vec<i64>) = refunds.iter().map(|(id, total)| (id.get(), *total)).unzip();
    sqlx::query!(
        "update orders set refunded_amount = greatest(refunded_amount, total), updated_at = clock_timestamp()
        from (
            select id, max(total) as total from unnest($1::bigint[], $2::bigint[]) as refund (id, total) group by id
        ) as refund
        where orders.id = refund.id",
        &ids,
        &totals
    )
    .execute(db)
    .await?;
    Ok(())
}
