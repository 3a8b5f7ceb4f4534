//! Gives the goods of undeliverable orders back to the stock.

use chassis::BoxError;
use futures::{StreamExt, stream};

use crate::{
    App,
    store::{self, returns::StockReturn},
};

/// Lines that are taken up at once: few enough to be done with before a shutdown loses its patience.
const BATCH: i64 = 16;
/// Lines that are given back at the same time.
const AT_ONCE: usize = 8;

/// Gives back what is due, one batch of it. Returns how many lines there were.
pub async fn return_goods(app: &App) -> sqlx::Result<usize> {
    let mut db = app.db.acquire().await?;
    let due = store::returns::claim_due_returns(&mut db, BATCH).await?;
    drop(db);
    let found = due.len();
    stream::iter(due)
        .for_each_concurrent(AT_ONCE, async |line| {
            if let Err(error) = return_line(app, line).await {
                let error = chassis::problem::chain(&*error);
                let StockReturn { order_id, product_id, tries, .. } = line;
                tracing::warn!(order.id = %order_id, product.id = %product_id, tries, error, "goods are not back yet");
            }
        })
        .await;
    Ok(found)
}

async fn return_line(app: &App, line: StockReturn) -> Result<(), BoxError> {
    let StockReturn { order_id, product_id, quantity, .. } = line;
    app.peers.return_stock(order_id, product_id, quantity).await?;
    let mut tx = app.db.begin().await?;
    if store::returns::update_returned(&mut tx, order_id, product_id).await? {
        let detail = format!("product {product_id}: {quantity} back in stock");
        store::history::insert_note(&mut tx, order_id, "StockReturned", Some(&detail)).await?;
    }
    Ok(tx.commit().await?)
}
