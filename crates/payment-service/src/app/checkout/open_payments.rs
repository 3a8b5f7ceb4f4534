//! `OrderCreated`: the payment exists, without a page. Many at once, since nothing else is to be done about them.

use std::collections::BTreeMap;

use contracts::{UserId, events::OrderCreated};
use messaging::{HandlerError, Outcomes, Received};
use sqlx::PgTransaction;

use crate::store::{self, NewPayment};

/// Opens the payments of these orders, with the events. One that is open already stays as it is; an event about another
/// order that has the number of an earlier one is refused alone.
///
/// # Errors
/// If the database fails.
pub async fn open_payments(
    tx: &mut PgTransaction<'_>,
    events: &[Received<OrderCreated>],
) -> Result<Outcomes, HandlerError> {
    let checked: Vec<Result<NewPayment, HandlerError>> = events.iter().map(opened).collect();
    let new: Vec<&NewPayment> = checked.iter().flatten().collect();
    let opened = store::insert_payments(tx, &new).await?;
    let all_new = u64::try_from(new.len()).is_ok_and(|count| count == opened);
    let known = if all_new { BTreeMap::new() } else { store::list_owners(tx, &new).await? };
    Ok(checked
        .into_iter()
        .map(|new| new.and_then(|new| require_same(&new, known.get(&new.order_id))))
        .collect())
}

fn require_same(new: &NewPayment<'_>, known: Option<&(UserId, Option<i64>)>) -> Result<(), HandlerError> {
    match known {
        Some((user_id, amount))
            if *user_id != new.user_id || amount.is_some_and(|amount| amount != new.amount) =>
        {
            Err(HandlerError::reject(format!("order {} is known with another buyer or price", new.order_id)))
        }
        _ => Ok(()),
    }
}

fn opened(Received { trace, event, .. }: &Received<OrderCreated>) -> Result<NewPayment<'_>, HandlerError> {
    if event.total_amount < 1 {
        return Err(HandlerError::reject(format!(
            "an order of {} rupiah cannot be paid",
            event.total_amount
        )));
    }
    Ok(NewPayment {
        order_id: event.order_id,
        user_id: event.user_id,
        amount: event.total_amount,
        correlation_id: &trace.correlation_id,
        traceparent: &trace.traceparent,
    })
}
