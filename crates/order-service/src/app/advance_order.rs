//! Moves an order on, with everything that belongs to the move: timeline, events, goods to send back.

use contracts::events::Subject;
use messaging::{HandlerError, outbox};
use sqlx::PgTransaction;

use super::{reconcile_orders::reschedule, return_goods::return_goods};
use crate::{
    domain::{Input, Order, State, Step},
    store,
};

/// Does to an order what the contract's table says for an input. An input about another order that had its number is
/// refused.
pub async fn advance_order(
    tx: &mut PgTransaction<'_>,
    subject: Subject,
    input: Input,
) -> Result<(), HandlerError> {
    let id = subject.order_id;
    let Some(order) = store::orders::lock_order(tx, id).await? else {
        return Err(HandlerError::reject(format!("there is no order {id}")));
    };
    if !order.is_of(&subject) {
        let cause = input.cause();
        return Err(HandlerError::reject(format!(
            "{cause} is about another order {id}, of another buyer or price"
        )));
    }
    let (cause, detail) = (input.cause(), input.detail());
    match order.status.step(&input) {
        Step::Moved(state) => move_order(tx, &order, &state, cause, detail.as_deref()).await?,
        Step::Same => {}
        Step::Note { alarm } => {
            if alarm {
                sound_alarm(&order, cause, detail.as_deref());
            }
            store::history::insert_note(tx, id, cause, detail.as_deref()).await?;
            if let Some(total) = input.refunded_total() {
                store::orders::update_refunded(tx, id, total).await?;
            }
        }
        Step::Wait => {
            return Err(HandlerError::not_yet(format!("{cause} for order {id}, which is {}", order.status)));
        }
        Step::Reject => {
            return Err(HandlerError::reject(format!("{cause} for order {id}, which is {}", order.status)));
        }
    }
    Ok(())
}

/// Moves a locked order. The caller has asked the table.
pub async fn move_order(
    tx: &mut PgTransaction<'_>,
    order: &Order,
    to: &State,
    cause: &str,
    detail: Option<&str>,
) -> sqlx::Result<()> {
    if !store::orders::update_order(tx, order.id, order.status, to, cause, detail).await? {
        // The row was locked when its state was read, so this is a statement that is wrong.
        return Err(sqlx::Error::RowNotFound);
    }
    if let Some(cause) = to.cancelled_because() {
        outbox::append(tx, order.cancelled_event(cause)).await?;
    }
    reschedule(tx, order.id, order.status, to).await?;
    match to {
        State::Paid => {
            store::buyers::insert_paying_buyer(tx, order.user_id).await?;
            let row = outbox::append_row(tx, order.paid_event()).await?;
            store::reconciliation::set_awaited_row(tx, order.id, row).await?;
        }
        State::DeliveryFailed(_) => return_goods(tx, order).await?,
        State::Received
        | State::AwaitingPayment(_)
        | State::Shipped(_)
        | State::Delivered(_)
        | State::Failed(_)
        | State::Cancelled { .. }
        | State::Refunded(_) => {}
    }
    Ok(())
}

/// Says that somebody has to look.
fn sound_alarm(order: &Order, cause: &'static str, detail: Option<&str>) {
    metrics::counter!("order_alarms_total", "cause" => cause).increment(1);
    tracing::error!(order.id = %order.id, order.status = %order.status, cause, detail, "somebody has to look at this order");
}
