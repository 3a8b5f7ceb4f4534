//! Moves an order on: the only code that applies transitions, with all their effects.

use contracts::events::Subject;
use messaging::{HandlerError, outbox};
use sqlx::PgTransaction;

use super::{reconcile_orders::reschedule, return_goods::return_goods};
use crate::{
    domain::{Effect, Input, Order, Status, Transition},
    store,
};

/// Why a transition was not applied. Nothing of it is committed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("{0} came before its cause")]
    TooEarly(String),
    #[error("{0} cannot be true")]
    Impossible(String),
    /// A bug: the order was not locked.
    #[error("the order is not {0} any more")]
    Moved(Status),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<ApplyError> for HandlerError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::TooEarly(_) => Self::not_yet(error.to_string()),
            ApplyError::Impossible(_) => Self::reject(error.to_string()),
            ApplyError::Moved(_) => Self::bug(error),
            ApplyError::Database(error) => error.into(),
        }
    }
}

/// Applies an input to an order as table T1 says. An input about another order that had its number is refused.
pub async fn advance_order(
    tx: &mut PgTransaction<'_>,
    subject: Subject,
    input: Input,
) -> Result<(), HandlerError> {
    let id = subject.order_id;
    let Some(order) = store::orders::lock_order(tx, id).await? else {
        return Err(HandlerError::reject(format!("there is no order {id}")));
    };
    let cause = input.cause();
    if !order.is_of(&subject) {
        return Err(HandlerError::reject(format!(
            "{cause} is about another order {id}, of another buyer or price"
        )));
    }
    let transition = order.status.on(&input);
    Ok(apply(tx, &order, transition, cause, input.detail().as_deref()).await?)
}

/// Applies a transition to an order that is locked. `cause` and `detail` are for its timeline.
pub(super) async fn apply(
    tx: &mut PgTransaction<'_>,
    order: &Order,
    Transition { to, effects }: Transition,
    cause: &'static str,
    detail: Option<&str>,
) -> Result<(), ApplyError> {
    if let Some(state) = to {
        if !store::orders::move_order(tx, order.id, order.status, &state, cause, detail).await? {
            return Err(ApplyError::Moved(order.status));
        }
        reschedule(tx, order.id, order.status, &state).await?;
    }
    for effect in effects {
        apply_effect(tx, order, effect, cause, detail).await?;
    }
    Ok(())
}

async fn apply_effect(
    tx: &mut PgTransaction<'_>,
    order: &Order,
    effect: Effect,
    cause: &'static str,
    detail: Option<&str>,
) -> Result<(), ApplyError> {
    let input = || format!("{cause} for order {}, which is {},", order.id, order.status);
    match effect {
        Effect::RecordPayer => store::buyers::record_payer(tx, order.user_id).await?,
        Effect::PublishPaid => {
            let row = outbox::append_row(tx, order.paid_event()).await?;
            store::reconciliation::set_awaited_row(tx, order.id, row).await?;
        }
        Effect::PublishCancelled(cause) => outbox::append(tx, order.cancelled_event(cause)).await?,
        Effect::ReturnGoods => return_goods(tx, order).await?,
        Effect::Annotate => store::history::insert_note(tx, order.id, cause, detail).await?,
        Effect::RecordRefund(total) => store::orders::record_refund(tx, order.id, total).await?,
        Effect::Alarm => {
            metrics::counter!("order_alarms_total", "cause" => cause).increment(1);
            tracing::error!(order.id = %order.id, order.status = %order.status, cause, detail, "a person has to look at this order");
        }
        Effect::Postpone => return Err(ApplyError::TooEarly(input())),
        Effect::Reject => return Err(ApplyError::Impossible(input())),
    }
    Ok(())
}
