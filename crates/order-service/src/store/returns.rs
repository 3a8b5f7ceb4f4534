//! Goods of undeliverable orders on their way back into the stock.

use std::time::Duration;

use contracts::{OrderId, ProductId, UserId};
use sqlx::{PgConnection, Result};

/// Units of a product that go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockReturn {
    /// The order that bought them.
    pub order_id: OrderId,
    /// Its buyer.
    pub buyer: UserId,
    /// The product.
    pub product_id: ProductId,
    /// Units.
    pub quantity: i32,
    /// How often this was tried, this time included.
    pub tries: i32,
}

/// Sends every line of an order back.
pub async fn insert_returns(db: &mut PgConnection, id: OrderId) -> Result<()> {
    sqlx::query!(
        "insert into stock_returns (order_id, product_id, quantity)
        select order_id, product_id, quantity from order_items where order_id = $1",
        id.get()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes up what is due, with a lease of [`chassis::jobs::LEASE`].
pub async fn claim_due_returns(db: &mut PgConnection, limit: i64) -> Result<Vec<StockReturn>> {
    sqlx::query_as!(
        StockReturn,
        r#"update stock_returns set
            tries = tries + 1,
            due_at = now() + interval '15 seconds'
        where (order_id, product_id) in (
            select order_id, product_id from stock_returns
            where done_at is null and due_at <= now()
            order by due_at limit $1
            for update skip locked
        )
        returning
            order_id as "order_id: OrderId",
            (select user_id from orders where id = order_id) as "buyer!: UserId",
            product_id as "product_id: ProductId",
            quantity,
            tries"#,
        limit
    )
    .fetch_all(db)
    .await
}

/// Ends the lease of goods that were not taken back: they are due again after a pause.
pub async fn schedule_return(db: &mut PgConnection, line: StockReturn, pause: Duration) -> Result<()> {
    sqlx::query!(
        "update stock_returns set due_at = now() + make_interval(secs => $3)
        where order_id = $1 and product_id = $2 and done_at is null",
        line.order_id.get(),
        line.product_id.get(),
        pause.as_secs_f64()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that the goods are back. False if that was noted before.
pub async fn update_returned(db: &mut PgConnection, order: OrderId, product: ProductId) -> Result<bool> {
    let done = sqlx::query!(
        "update stock_returns set done_at = now() where order_id = $1 and product_id = $2 and done_at is null",
        order.get(),
        product.get()
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
