//! Returns the goods of undeliverable orders to the stock.

use std::{fmt, str::FromStr};

use chassis::{BoxError, database::commit};
use contracts::{OrderId, ProductId};
use jobs::{Due, Job, Outcome};

use crate::{AppState, domain::Order, store};

/// One line of an order; as text `order:product`.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    order: OrderId,
    product: ProductId,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.order, self.product)
    }
}

impl FromStr for Line {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (order, product) = text.split_once(':').ok_or(())?;
        Ok(Self { order: order.parse().map_err(drop)?, product: product.parse().map_err(drop)? })
    }
}

/// Asks product-service to take the units of a line back, and notes it in the order's timeline.
#[derive(Debug)]
pub struct ReturnStock;

impl Job for ReturnStock {
    const KIND: &'static str = "stock-return";
    type State = AppState;
    type Key = Line;

    async fn run(state: &AppState, Line { order, product }: Line) -> Result<Outcome, BoxError> {
        let line = store::returns::find_open_return(&mut *state.db.acquire().await?, order, product).await?;
        let Some(line) = line else { return Ok(Outcome::Done) };
        state.clients.return_stock(line).await?;
        let mut tx = state.db.begin().await?;
        if store::returns::mark_returned(&mut tx, order, product).await? {
            let detail = format!("product {product}: {} back in stock", line.quantity);
            store::history::annotate(&mut tx, order, "StockReturned", Some(&detail)).await?;
        }
        commit(tx).await?;
        Ok(Outcome::Done)
    }
}

/// The jobs that return every line of an order.
pub(super) fn return_jobs(order: &Order) -> impl Iterator<Item = Due> {
    let lines = order.items.iter().map(|item| Line { order: order.id, product: item.product_id });
    lines.map(|line| ReturnStock::of(&line).now())
}
