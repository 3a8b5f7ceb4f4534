//! How much a buyer has ordered and not paid yet, and whether anything was ever paid.

use std::collections::BTreeMap;

use contracts::{ProductId, UserId};
use sqlx::{PgConnection, Result};

/// Takes turns with other transactions that place an order for the same buyer.
pub async fn lock_buyer(db: &mut PgConnection, buyer: UserId) -> Result<()> {
    // Two keys are a space of their own, apart from the locks with one key of relay and migrations.
    sqlx::query!("select pg_advisory_xact_lock(1, hashint8($1))", buyer.get()).execute(db).await?;
    Ok(())
}

/// How many unpaid orders a buyer has.
pub async fn count_open_orders(db: &mut PgConnection, buyer: UserId) -> Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from orders
        where user_id = $1 and status in ('RECEIVED', 'AWAITING_PAYMENT')"#,
        buyer.get()
    )
    .fetch_one(db)
    .await
}

/// The units of each product in a buyer's unpaid orders.
pub async fn list_held_units(db: &mut PgConnection, buyer: UserId) -> Result<BTreeMap<ProductId, i64>> {
    let rows = sqlx::query!(
        r#"select line.product_id as "product_id: ProductId", sum(line.quantity) as "units!"
        from orders
        join order_items as line on line.order_id = orders.id
        where orders.user_id = $1 and orders.status in ('RECEIVED', 'AWAITING_PAYMENT')
        group by line.product_id"#,
        buyer.get()
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.product_id, row.units)).collect())
}

/// Records that a buyer has paid an order.
pub async fn record_payer(db: &mut PgConnection, buyer: UserId) -> Result<()> {
    sqlx::query!("insert into paying_buyers (user_id) values ($1) on conflict do nothing", buyer.get())
        .execute(db)
        .await?;
    Ok(())
}
