//! What is held for orders.

use std::collections::{BTreeMap, BTreeSet};

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
    /// What the order asked for.
    pub items: &'a [Line],
    /// What was missing, if it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<&'a Refusal>,
    pub user_id: Option<UserId>,
    /// Rupiah.
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

/// As [`lock_holds`], but without waiting; the set has those that another transaction keeps locked.
pub async fn lock_unlocked_holds(
    db: &mut PgConnection,
    orders: &[i64],
) -> sqlx::Result<(BTreeMap<OrderId, Hold>, BTreeSet<OrderId>)> {
    let rows = sqlx::query_as!(
        Row,
        r#"select order_id as "order_id: OrderId", status as "status: Status", items as "items: Json<Vec<Line>>",
                  refusal as "refusal: Json<Refusal>", cancel_cause as "cancel_cause: CancelCause",
                  user_id as "user_id: UserId", total_amount
           from holds
           where order_id = any($1)
           order by order_id
           for no key update skip locked"#,
        orders,
    )
    .fetch_all(&mut *db)
    .await?;
    let free: BTreeMap<OrderId, Hold> = rows.into_iter().map(|row| (row.order_id, row.into())).collect();
    let known = list_holds(db, orders).await?.into_keys();
    let locked = known.filter(|order| !free.contains_key(order)).collect();
    Ok((free, locked))
}

/// As [`lock_holds`], for one order.
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

/// Refuses an order before its `OrderCreated` comes. Returns whether it had no hold before.
pub async fn insert_tombstone(
    db: &mut PgConnection,
    order: OrderId,
    user_id: Option<UserId>,
    cause: CancelCause,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into holds (order_id, status, items, cancel_cause, user_id) values ($1, $2, '[]', $3, $4)
         on conflict do nothing",
        order.get(),
        Status::Refused as Status,
        cause as CancelCause,
        user_id.map(UserId::get),
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Changes the state of holds. Returns whether all were in the expected one.
pub async fn move_holds(
    db: &mut PgConnection,
    orders: &[i64],
    from: Status,
    to: Status,
    cause: Option<CancelCause>,
) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "update holds
         set status = $3, cancel_cause = coalesce($4, cancel_cause), updated_at = now()
         where order_id = any($1) and status = $2",
        orders,
        from as Status,
        to as Status,
        cause as Option<CancelCause>,
    )
    .execute(db)
    .await?;
    Ok(updated.rows_affected() == orders.len() as u64)
}

/// The products of an order whose goods came back.
pub async fn list_returned(db: &mut PgConnection, order: OrderId) -> sqlx::Result<Vec<ProductId>> {
    sqlx::query_scalar!(
        r#"select product_id as "product_id: ProductId"
           from stock_movements
           where order_id = $1 and reason = 'return'"#,
        order.get(),
    )
    .fetch_all(db)
    .await
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
