//! Goods of undeliverable orders on their way back into the stock.

use contracts::{OrderId, ProductId, UserId};
use sqlx::{PgConnection, Result};

/// Units of a product that an order bought and returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockReturn {
    pub order_id: OrderId,
    pub buyer: UserId,
    pub product_id: ProductId,
    pub quantity: i32,
}

/// Records a return of every line of these orders.
pub async fn insert_returns(db: &mut PgConnection, orders: &[i64]) -> Result<()> {
    if orders.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into stock_returns (order_id, product_id, quantity)
        select order_id, product_id, quantity from order_items where order_id = any($1)",
        orders
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A return that product-service has not confirmed yet.
pub async fn find_open_return(
    db: &mut PgConnection,
    order: OrderId,
    product: ProductId,
) -> Result<Option<StockReturn>> {
    sqlx::query_as!(
        StockReturn,
        r#"select
            order_id as "order_id: OrderId",
            orders.user_id as "buyer: UserId",
            product_id as "product_id: ProductId",
            quantity
        from stock_returns
        join orders on orders.id = order_id
        where order_id = $1 and product_id = $2 and done_at is null"#,
        order.get(),
        product.get()
    )
    .fetch_optional(db)
    .await
}

/// Records that the goods are in the stock. False if that was recorded before.
pub async fn mark_returned(db: &mut PgConnection, order: OrderId, product: ProductId) -> Result<bool> {
    let done = sqlx::query!(
        "update stock_returns set done_at = now() where order_id = $1 and product_id = $2 and done_at is null",
        order.get(),
        product.get()
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
