//! Moves orders on: the only code that applies transitions. What the inputs of a batch lead to is decided in memory, in
//! their order, and written in sets.

use std::collections::BTreeMap;

use chassis::context::Trace;
use contracts::{OrderId, events::Subject};
use messaging::{HandlerError, Outcomes};
use sqlx::PgTransaction;

use super::changes::{Cause, Changes};
use crate::{
    domain::{Input, Order},
    store,
};

/// An input for an order, with what identifies the order and what the input came from.
#[derive(Debug)]
pub struct Advance {
    pub subject: Subject,
    pub input: Input,
    /// What follows is published as part of this.
    pub trace: Trace,
}

/// Applies inputs to orders as table T1 says, and returns one outcome for each. An input about another order that had its
/// number is refused.
///
/// # Errors
/// If the database fails: then nothing was applied.
pub async fn advance_orders(
    tx: &mut PgTransaction<'_>,
    advances: &[Advance],
) -> Result<Outcomes, HandlerError> {
    let ids: Vec<i64> = advances.iter().map(|advance| advance.subject.order_id.get()).collect();
    let mut orders = store::orders::lock_orders(tx, &ids).await?;
    let mut changes = Changes::default();
    let outcomes = advances.iter().map(|advance| decide(advance, &mut orders, &mut changes)).collect();
    changes.write(tx).await?;
    Ok(outcomes)
}

/// Applies one input.
///
/// # Errors
/// If it cannot be applied, or the database fails.
pub async fn advance_order(tx: &mut PgTransaction<'_>, advance: Advance) -> Result<(), HandlerError> {
    advance_orders(tx, &[advance]).await?.into_iter().collect()
}

fn decide(
    Advance { subject, input, trace }: &Advance,
    orders: &mut BTreeMap<OrderId, Order>,
    changes: &mut Changes,
) -> Result<(), HandlerError> {
    let (id, cause) = (subject.order_id, input.cause());
    let order = orders.get_mut(&id);
    let order = order.ok_or_else(|| HandlerError::reject(format!("there is no order {id}")))?;
    if !order.is_of(subject) {
        return Err(HandlerError::reject(format!(
            "{cause} is about another order {id}, of another buyer or price"
        )));
    }
    let transition = order.status.on(input);
    Ok(changes.add(order, transition, Cause { name: cause, detail: input.detail(), trace })?)
}
