//! Cancellations that another service has to agree to. A change of the order deletes them; see [`super::moves`].

use contracts::{OrderId, UserId, events::CancelCause};
use sqlx::{PgConnection, Result};

use crate::domain::CancelStep;

/// A cancellation that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    pub order_id: OrderId,
    pub buyer: UserId,
    /// What another service has to do before.
    pub step: CancelStep,
    pub requested_by: UserId,
    /// What `OrderCancelled` will say about why.
    pub cause: CancelCause,
    /// Why, in the words of the requester.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub struct NewCancellation<'a> {
    pub order_id: OrderId,
    pub step: CancelStep,
    pub requested_by: UserId,
    pub cause: CancelCause,
    pub reason: Option<&'a str>,
}

/// Records a cancellation. If one was recorded before, that is returned as it is: the first counts.
pub async fn insert_cancellation(db: &mut PgConnection, new: NewCancellation<'_>) -> Result<Cancellation> {
    sqlx::query_as!(
        Cancellation,
        r#"insert into cancellations (order_id, step, requested_by, cause, reason)
        values ($1, $2, $3, $4, $5)
        on conflict (order_id) do update set order_id = excluded.order_id
        returning
            order_id as "order_id: OrderId",
            (select user_id from orders where id = order_id) as "buyer!: UserId",
            step as "step: CancelStep",
            requested_by as "requested_by: UserId",
            cause as "cause: CancelCause",
            reason"#,
        new.order_id.get(),
        new.step as CancelStep,
        new.requested_by.get(),
        new.cause as CancelCause,
        new.reason
    )
    .fetch_one(db)
    .await
}

/// The cancellation of an order that waits for this step.
pub async fn find_cancellation(
    db: &mut PgConnection,
    order: OrderId,
    step: CancelStep,
) -> Result<Option<Cancellation>> {
    sqlx::query_as!(
        Cancellation,
        r#"select
            order_id as "order_id: OrderId",
            orders.user_id as "buyer: UserId",
            step as "step: CancelStep",
            requested_by as "requested_by: UserId",
            cause as "cause: CancelCause",
            reason
        from cancellations
        join orders on orders.id = order_id
        where order_id = $1 and step = $2"#,
        order.get(),
        step as CancelStep
    )
    .fetch_optional(db)
    .await
}

/// Ends a cancellation that was refused: the order goes on. One for a later state of the order stays.
pub async fn delete_cancellation(db: &mut PgConnection, order: OrderId, step: CancelStep) -> Result<()> {
    sqlx::query!(
        "delete from cancellations where order_id = $1 and step = $2",
        order.get(),
        step as CancelStep
    )
    .execute(db)
    .await?;
    Ok(())
}
