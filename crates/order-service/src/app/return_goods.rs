//! Returns the goods of undeliverable orders to the stock.

use std::time::Duration;

use chassis::BoxError;
use contracts::{OrderId, ProductId};
use jobs::{Backoff, Job, Outcome, Queue};
use sqlx::PgTransaction;

use crate::{AppState, domain::Order, store};

/// Asks product-service to take the units of one line back, and notes it in the order's timeline.
#[derive(Debug, Clone, Copy)]
pub struct ReturnStock {
    order: OrderId,
    product: ProductId,
}

impl Job for ReturnStock {
    const KIND: &'static str = "stock-return";
    const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_mins(5));
    type State = AppState;

    fn key(&self) -> String {
        format!("{}:{}", self.order, self.product)
    }

    fn from_key(key: &str) -> Option<Self> {
        let (order, product) = key.split_once(':')?;
        Some(Self { order: order.parse().ok()?, product: product.parse().ok()? })
    }

    async fn run(&self, state: &AppState) -> Result<Outcome, BoxError> {
        return_line(state, *self).await
    }
}

/// Records that every line of an order returns to the stock, with a job for each.
pub(super) async fn return_goods(tx: &mut PgTransaction<'_>, order: &Order) -> sqlx::Result<()> {
    store::returns::insert_returns(tx, order.id).await?;
    let lines = order.items.iter().map(|item| ReturnStock { order: order.id, product: item.product_id });
    Queue::enqueue_all(tx, lines, Duration::ZERO).await
}

async fn return_line(
    state: &AppState,
    ReturnStock { order, product }: ReturnStock,
) -> Result<Outcome, BoxError> {
    let line = store::returns::find_open_return(&mut *state.db.acquire().await?, order, product).await?;
    let Some(line) = line else { return Ok(Outcome::Done) };
    state.clients.return_stock(line).await?;
    let mut tx = state.db.begin().await?;
    if store::returns::mark_returned(&mut tx, order, product).await? {
        let detail = format!("product {product}: {} back in stock", line.quantity);
        store::history::insert_note(&mut tx, order, "StockReturned", Some(&detail)).await?;
    }
    tx.commit().await?;
    Ok(Outcome::Done)
}
