//! Cancellations that another service has to agree to. A change of the order deletes them; see [`super::orders`].

use std::time::Duration;

use contracts::{OrderId, UserId, events::CancelCause};
use sqlx::{PgConnection, Result};

use crate::domain::CancelStep;

/// A cancellation that was taken up, with a lease of [`chassis::jobs::LEASE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    /// The order.
    pub order_id: OrderId,
    /// Its buyer.
    pub buyer: UserId,
    /// What has to be done elsewhere before.
    pub step: CancelStep,
    /// Who asked for it.
    pub requested_by: UserId,
    /// The cause that is published.
    pub cause: CancelCause,
    /// Why, in the words of who asked.
    pub reason: Option<String>,
    /// How often it was taken up, this time included.
    pub tries: i32,
}

/// What is asked for by whom.
#[derive(Debug, Clone, Copy)]
pub struct NewCancellation<'a> {
    /// The order.
    pub order_id: OrderId,
    /// What has to be done elsewhere before.
    pub step: CancelStep,
    /// Who asks for it.
    pub requested_by: UserId,
    /// The cause that is published.
    pub cause: CancelCause,
    /// Why, in the words of who asks.
    pub reason: Option<&'a str>,
}

/// Records a cancellation and takes it up. If one was recorded before, that is taken up as it is: the first counts.
pub async fn insert_cancellation(db: &mut PgConnection, new: NewCancellation<'_>) -> Result<Cancellation> {
    sqlx::query_as!(
        Cancellation,
        r#"insert into cancellations (order_id, step, requested_by, cause, reason, tries, run_at)
        values ($1, $2, $3, $4, $5, 1, now() + interval '15 seconds')
        on conflict (order_id) do update set
            tries = cancellations.tries + 1, run_at = now() + interval '15 seconds'
        returning
            order_id as "order_id: OrderId",
            (select user_id from orders where id = order_id) as "buyer!: UserId",
            step as "step: CancelStep",
            requested_by as "requested_by: UserId",
            cause as "cause: CancelCause",
            reason,
            tries"#,
        new.order_id.get(),
        new.step as CancelStep,
        new.requested_by.get(),
        new.cause as CancelCause,
        new.reason
    )
    .fetch_one(db)
    .await
}

/// Takes up cancellations that are due, those first that have been for longest.
pub async fn claim_cancellations(
    db: &mut PgConnection,
    step: CancelStep,
    limit: i64,
) -> Result<Vec<Cancellation>> {
    sqlx::query_as!(
        Cancellation,
        r#"update cancellations set tries = tries + 1, run_at = now() + interval '15 seconds'
        where order_id in (
            select order_id from cancellations where step = $1 and run_at <= now()
            order by run_at limit $2
            for update skip locked
        )
        returning
            order_id as "order_id: OrderId",
            (select user_id from orders where id = order_id) as "buyer!: UserId",
            step as "step: CancelStep",
            requested_by as "requested_by: UserId",
            cause as "cause: CancelCause",
            reason,
            tries"#,
        step as CancelStep,
        limit
    )
    .fetch_all(db)
    .await
}

/// Ends the lease of a cancellation that nobody answered: it is due again after a pause.
pub async fn schedule_cancellation(db: &mut PgConnection, order: OrderId, pause: Duration) -> Result<()> {
    sqlx::query!(
        "update cancellations set run_at = now() + make_interval(secs => $2) where order_id = $1",
        order.get(),
        pause.as_secs_f64()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The answer was no: the order goes on.
pub async fn delete_cancellation(db: &mut PgConnection, order: OrderId) -> Result<()> {
    sqlx::query!("delete from cancellations where order_id = $1", order.get()).execute(db).await?;
    Ok(())
}
