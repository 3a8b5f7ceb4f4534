//! Gives the goods of undeliverable orders back to the stock.

use std::time::Duration;

use chassis::{BoxError, jobs};

use crate::{
    AppState,
    store::{self, returns::StockReturn},
};

/// Lines that are given back at the same time.
const SLOTS: usize = 8;
/// The pause after the first try; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Gives back what is due. Returns how many lines there were.
pub async fn return_goods(state: &AppState) -> sqlx::Result<usize> {
    let claim = async |slots| {
        let mut db = state.db.acquire().await?;
        store::returns::claim_due_returns(&mut db, slots).await
    };
    let run = async |line: StockReturn| {
        let outcome = jobs::within_deadline(return_line(state, line)).await;
        if let Err(error) = outcome.unwrap_or_else(|late| Err(late.into())) {
            let error = chassis::error_chain(&*error);
            let StockReturn { order_id, product_id, tries, .. } = line;
            tracing::warn!(order.id = %order_id, product.id = %product_id, tries, error, "goods are not back yet");
        }
    };
    jobs::drain(SLOTS, &state.lifecycle.shutdown(), claim, run).await
}

async fn return_line(state: &AppState, line: StockReturn) -> Result<(), BoxError> {
    let StockReturn { order_id, product_id, quantity, tries, .. } = line;
    if let Err(status) = state.peers.return_stock(line).await {
        let pause = jobs::backoff(tries, FIRST_PAUSE, LONGEST_PAUSE);
        store::returns::schedule_return(&mut *state.db.acquire().await?, line, pause).await?;
        return Err(status.into());
    }
    let mut tx = state.db.begin().await?;
    if store::returns::update_returned(&mut tx, order_id, product_id).await? {
        let detail = format!("product {product_id}: {quantity} back in stock");
        store::history::insert_note(&mut tx, order_id, "StockReturned", Some(&detail)).await?;
    }
    Ok(tx.commit().await?)
}
