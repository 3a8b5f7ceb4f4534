//! What is held for orders: one hold for each, whatever becomes of it.

use std::collections::BTreeMap;

use contracts::{OrderId, ProductId, UserId, events::CancelCause};
use serde::Serialize;
use sqlx::{PgConnection, types::Json};

use crate::domain::{
    allocation::{Line, Refusal},
    hold::{Hold, Status},
};

/// A hold, or a refusal, of an order that had none.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct NewHold<'a> {
    pub order_id: OrderId,
    /// HELD, or REFUSED with a refusal.
    pub status: Status,
    pub items: &'a [Line],
    /// What was missing, if it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<&'a Refusal>,
    pub user_id: Option<UserId>,
    /// What the order costs, in whole rupiah; `None` where the event did not say.
    pub total_amount: Option<i64>,
}

struct Row {
    order_id: OrderId,
    status: Status,
    items: Json<Vec<Line>>,
    refusal: Option<Json<Refusal>>,
    cancel_cause: Option<CancelCause>,
    user_id: Option<UserId>,
    total_amount: Option<i64>,
}

impl From<Row> for Hold {
    fn from(row: Row) -> Self {
        Self {
            status: row.status,
            lines: row.items.0,
            refusal: row.refusal.map(|Json(refusal)| refusal),
            cancel_cause: row.cancel_cause,
            user_id: row.user_id,
            total_amount: row.total_amount,
        }
    }
}

/// The holds of those of the orders that have one.
pub async fn list_holds(db: &mut PgConnection, orders: &[i64]) -> sqlx::Result<BTreeMap<OrderId, Hold>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select order_id as "order_id: OrderId", status as "status: Status", items as "items: Json<Vec<Line>>",
                  refusal as "refusal: Json<Refusal>", cancel_cause as "cancel_cause: CancelCause",
                  user_id as "user_id: UserId", total_amount
           from holds
           where order_id = any($1)"#,
        orders,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row.into())).collect())
}

/// As [`list_holds`], locked until the end of the transaction, in the order of their ids, so that no transactions
/// deadlock.
pub async fn lock_holds(db: &mut PgConnection, orders: &[i64]) -> sqlx::Result<BTreeMap<OrderId, Hold>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select order_id as "order_id: OrderId", status as "status: Status", items as "items: Json<Vec<Line>>",
                  refusal as "refusal: Json<Refusal>", cancel_cause as "cancel_cause: CancelCause",
                  user_id as "user_id: UserId", total_amount
           from holds
           where order_id = any($1)
           order by order_id
           for no key update"#,
        orders,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row.into())).collect())
}

pub async fn lock_hold(db: &mut PgConnection, order: OrderId) -> sqlx::Result<Option<Hold>> {
    Ok(lock_holds(db, &[order.get()]).await?.remove(&order))
}

/// Returns whether none of the orders had a hold before.
pub async fn insert_holds(db: &mut PgConnection, holds: &[NewHold<'_>]) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into holds (order_id, status, items, refusal, user_id, total_amount)
         select * from jsonb_to_recordset($1) as
             (order_id bigint, status text, items jsonb, refusal jsonb, user_id bigint, total_amount bigint)
         on conflict do nothing",
        Json(holds) as Json<&[NewHold<'_>]>,
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == holds.len() as u64)
}

/// An order that ended before its `OrderCreated` came.
#[derive(Debug, Clone, Copy)]
pub struct NewTombstone {
    pub order_id: OrderId,
    pub user_id: UserId,
    pub cause: CancelCause,
}

/// Refuses orders before their `OrderCreated` come. Returns whether none had a hold before.
pub async fn insert_tombstones(db: &mut PgConnection, new: &[NewTombstone]) -> sqlx::Result<bool> {
    if new.is_empty() {
        return Ok(true);
    }
    let orders: Vec<i64> = new.iter().map(|tombstone| tombstone.order_id.get()).collect();
    let users: Vec<i64> = new.iter().map(|tombstone| tombstone.user_id.get()).collect();
    let causes: Vec<CancelCause> = new.iter().map(|tombstone| tombstone.cause).collect();
    let inserted = sqlx::query!(
        "insert into holds (order_id, status, items, cancel_cause, user_id)
         select order_id, $1, '[]', cause, user_id
         from unnest($2::bigint[], $3::text[], $4::bigint[]) as new (order_id, cause, user_id)
         on conflict do nothing",
        Status::Refused as Status,
        &orders,
        &causes as &[CancelCause],
        &users,
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == new.len() as u64)
}

/// A change of a hold's state.
#[derive(Debug, Clone, Copy)]
pub struct HoldMove {
    pub order_id: OrderId,
    /// The state that the change was decided for.
    pub from: Status,
    pub to: Status,
    /// Why the order ended, if it did.
    pub cause: Option<CancelCause>,
}

/// Changes the state of holds that are locked.
///
/// # Errors
/// If one is not in the state that it is to be moved from: whoever moves it has not locked it.
pub async fn move_holds(db: &mut PgConnection, moves: &[HoldMove]) -> sqlx::Result<()> {
    if moves.is_empty() {
        return Ok(());
    }
    let orders: Vec<i64> = moves.iter().map(|change| change.order_id.get()).collect();
    let from: Vec<Status> = moves.iter().map(|change| change.from).collect();
    let to: Vec<Status> = moves.iter().map(|change| change.to).collect();
    let causes: Vec<Option<CancelCause>> = moves.iter().map(|change| change.cause).collect();
    let updated = sqlx::query!(
        "update holds
         set status = change.to_status, cancel_cause = coalesce(change.cause, cancel_cause), updated_at = now()
         from unnest($1::bigint[], $2::text[], $3::text[], $4::text[])
             as change (order_id, from_status, to_status, cause)
         where holds.order_id = change.order_id and status = change.from_status",
        &orders,
        &from as &[Status],
        &to as &[Status],
        &causes as &[Option<CancelCause>],
    )
    .execute(db)
    .await?;
    if updated.rows_affected() == moves.len() as u64 {
        return Ok(());
    }
    Err(sqlx::Error::Decode("a hold is not in the state any more that it is to be moved from".into()))
}

/// The products of orders whose goods came back.
pub async fn list_returned(db: &mut PgConnection, orders: &[i64]) -> sqlx::Result<Vec<(OrderId, ProductId)>> {
    let rows = sqlx::query!(
        r#"select order_id as "order_id!: OrderId", product_id as "product_id: ProductId"
           from stock_movements
           where order_id = any($1) and reason = 'return'"#,
        orders,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row.product_id)).collect())
}

/// The units of products that are held for open orders.
pub async fn list_held(db: &mut PgConnection, products: &[i64]) -> sqlx::Result<BTreeMap<ProductId, i64>> {
    let rows = sqlx::query!(
        r#"select product_id as "product_id!: ProductId", sum(quantity)::bigint as "units!"
           from holds, jsonb_to_recordset(items) as line (product_id bigint, quantity bigint)
           where status = 'HELD' and product_id = any($1)
           group by product_id"#,
        products,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.product_id, row.units)).collect())
}

/// How many orders have been open for more than a day.
pub async fn count_old_holds(db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from holds
           where status = 'HELD' and created_at < now() - interval '1 day'"#
    )
    .fetch_one(db)
    .await
}

/// The highest number of an order that is known here; 0 if none is.
pub async fn find_latest_order(db: &mut PgConnection) -> sqlx::Result<i64> {
    let latest = sqlx::query_scalar!("select max(order_id) from holds").fetch_one(db).await?;
    Ok(latest.unwrap_or_default())
}
