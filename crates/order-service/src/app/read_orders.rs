//! Reading orders and their timelines: one's own, or as an administrator everybody's.

use contracts::{OrderId, UserId};

use crate::{
    AppState,
    domain::{HistoryEntry, Order},
    store::{self, orders::Part},
};

/// A part of a list of orders.
#[derive(Debug)]
pub struct OrderPage {
    pub orders: Vec<Order>,
    /// The last order of the part, if the list goes on after it.
    pub next_before: Option<OrderId>,
    /// How many orders the whole list has.
    pub total: i64,
}

/// Orders of a buyer, or of everybody.
pub async fn list_orders(state: &AppState, buyer: Option<UserId>, part: Part) -> sqlx::Result<OrderPage> {
    let mut db = state.db.acquire().await?;
    let total = store::orders::count_orders(&mut db, buyer, part.status).await?;
    // One more than requested shows whether the list goes on.
    let one_more = Part { limit: part.limit + 1, ..part };
    let mut orders = store::orders::list_orders(&mut db, buyer, one_more).await?;
    let wanted = usize::try_from(part.limit).unwrap_or_default();
    let goes_on = orders.len() > wanted;
    orders.truncate(wanted);
    let next_before = orders.last().filter(|_| goes_on).map(|order| order.id);
    Ok(OrderPage { orders, next_before, total })
}

/// An order within a scope: its buyer's, or anybody's.
pub async fn find_order(state: &AppState, id: OrderId, scope: Option<UserId>) -> sqlx::Result<Option<Order>> {
    let mut db = state.db.acquire().await?;
    store::orders::find_order(&mut db, id, scope).await
}

/// The timeline of an order within a scope; empty if there is no such order.
pub async fn list_history(
    state: &AppState,
    id: OrderId,
    scope: Option<UserId>,
) -> sqlx::Result<Vec<HistoryEntry>> {
    let mut db = state.db.acquire().await?;
    store::history::list_history(&mut db, id, scope).await
}
