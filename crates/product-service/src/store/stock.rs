//! The free stock and the record of its changes.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{OrderId, ProductId};
use sqlx::PgConnection;

use crate::domain::{
    allocation::{StockLevel, StockLevels},
    movement::{Movement, Reason},
};

/// Records changes of the stock that the same transaction makes.
pub async fn insert_movements(
    db: &mut PgConnection,
    reason: Reason,
    movements: &[Movement],
    note: Option<&str>,
) -> sqlx::Result<()> {
    let orders: Vec<Option<i64>> = movements.iter().map(|m| m.order_id.map(OrderId::get)).collect();
    let products: Vec<i64> = movements.iter().map(|m| m.product_id.get()).collect();
    let deltas: Vec<i64> = movements.iter().map(|m| m.delta).collect();
    sqlx::query!(
        "insert into stock_movements (reason, note, order_id, product_id, delta)
         select $1, $2, * from unnest($3::bigint[], $4::bigint[], $5::bigint[])",
        reason as Reason,
        note,
        &orders as &[Option<i64>],
        &products,
        &deltas,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Makes every later wait for a lock in this transaction fail after a moment: long enough for other batches to end.
pub async fn limit_lock_waits(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("select set_config('lock_timeout', '250ms', true)").fetch_one(db).await?;
    Ok(())
}

/// The stock of products, locked until the end of the transaction. Every transaction locks the rows in the order of
/// their ids, so that none deadlocks.
pub async fn lock_stock_levels(db: &mut PgConnection, products: &[i64]) -> sqlx::Result<StockLevels> {
    let rows = sqlx::query!(
        r#"select id as "id: ProductId", stock, deleted_at is null as "on_sale!"
           from products
           where id = any($1)
           order by id
           for no key update"#,
        products,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, StockLevel { free: row.stock, on_sale: row.on_sale })).collect())
}

/// As [`lock_stock_levels`], but without waiting; the set has those that another transaction keeps locked.
pub async fn lock_unlocked_stock_levels(
    db: &mut PgConnection,
    products: &[i64],
) -> sqlx::Result<(StockLevels, BTreeSet<ProductId>)> {
    let rows = sqlx::query!(
        r#"with free as (
               select id, stock, deleted_at is null as on_sale
               from products
               where id = any($1)
               order by id
               for no key update skip locked
           )
           select products.id as "id: ProductId", free.stock as "stock?", free.on_sale as "on_sale?"
           from products left join free on free.id = products.id
           where products.id = any($1)"#,
        products,
    )
    .fetch_all(db)
    .await?;
    let (mut levels, mut locked) = (StockLevels::new(), BTreeSet::new());
    for row in rows {
        match row.stock.zip(row.on_sale) {
            Some((free, on_sale)) => drop(levels.insert(row.id, StockLevel { free, on_sale })),
            None => drop(locked.insert(row.id)),
        }
    }
    Ok((levels, locked))
}

/// Adds to the free stock of products that are locked.
pub async fn add_to_stock(db: &mut PgConnection, deltas: &BTreeMap<ProductId, i64>) -> sqlx::Result<()> {
    let products: Vec<i64> = deltas.keys().map(|id| id.get()).collect();
    let deltas: Vec<i64> = deltas.values().copied().collect();
    sqlx::query!(
        "update products
         set stock = stock + delta
         from unnest($1::bigint[], $2::bigint[]) as changed (product_id, delta)
         where id = product_id",
        &products,
        &deltas,
    )
    .execute(db)
    .await?;
    Ok(())
}
