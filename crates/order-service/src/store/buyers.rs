//! How much a buyer has ordered and not paid yet.

use contracts::UserId;
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
