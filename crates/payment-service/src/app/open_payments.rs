//! `OrderCreated`: the payment exists, without a page. Many at once, since nothing else is to be done about them.

use contracts::events::OrderCreated;
use messaging::{Envelope, Fail};
use sqlx::PgTransaction;

use crate::store::{self, NewPayment};

/// Opens the payments of these orders, with the events.
///
/// # Errors
/// If an order cannot be paid, or the database fails.
pub async fn open_payments(
    tx: &mut PgTransaction<'_>,
    events: &[Envelope<OrderCreated>],
) -> Result<(), Fail> {
    let new: Vec<NewPayment> = events.iter().map(opened).collect::<Result<_, _>>()?;
    Ok(store::insert_payments(tx, &new).await?)
}

fn opened(Envelope { meta, event }: &Envelope<OrderCreated>) -> Result<NewPayment<'_>, Fail> {
    if event.total_amount < 1 {
        return Err(Fail::reject(format!("an order of {} rupiah cannot be paid", event.total_amount)));
    }
    Ok(NewPayment {
        order_id: event.order_id,
        user_id: event.user_id,
        amount: event.total_amount,
        correlation_id: &meta.correlation_id,
        traceparent: &meta.traceparent,
    })
}
