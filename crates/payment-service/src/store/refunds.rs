//! Refunds: one per transaction and cause, but as many as administrators ask for.

use contracts::{OrderId, events::RefundCause};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::{Refund, RefundMethod, RefundState};

/// A refund that was decided on.
#[derive(Debug)]
pub struct NewRefund<'a> {
    pub order_id: OrderId,
    /// The attempt whose money it is.
    pub midtrans_order_id: &'a str,
    /// The transaction whose money it is.
    pub transaction_id: &'a str,
    pub cause: RefundCause,
    /// What goes back by it, in whole rupiah.
    pub amount: i64,
    /// Why, in the words of an administrator.
    pub reason: Option<&'a str>,
}

/// How much waits for a decision that a program cannot make.
#[derive(Debug, Default, Clone, Copy)]
pub struct Waiting {
    /// Refunds that Midtrans cannot make: a person has to, and enters the reference.
    pub manual: i64,
    /// Payments of another amount than asked for.
    pub review: i64,
}

/// Writes a refund and returns its id; `None` if there is one of this cause already, unless an administrator asks.
pub async fn insert_refund(db: &mut PgConnection, new: &NewRefund<'_>) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "insert into refunds
             (order_id, midtrans_order_id, transaction_id, refund_key, cause, amount, reason, state)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (transaction_id, cause) where cause <> 'admin' do nothing
         returning id",
        new.order_id.get(),
        new.midtrans_order_id,
        new.transaction_id,
        Uuid::now_v7().to_string(),
        new.cause as RefundCause,
        new.amount,
        new.reason,
        RefundState::Requested as RefundState,
    )
    .fetch_optional(db)
    .await
}

/// Records a refund that was made elsewhere, as on Midtrans' dashboard; false if it is known.
pub async fn insert_foreign_refund(
    db: &mut PgConnection,
    new: &NewRefund<'_>,
    key: &str,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into refunds
             (order_id, midtrans_order_id, transaction_id, refund_key, cause, amount, state, method)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict on constraint refunds_key_unique do nothing",
        new.order_id.get(),
        new.midtrans_order_id,
        new.transaction_id,
        key,
        new.cause as RefundCause,
        new.amount,
        RefundState::Done as RefundState,
        RefundMethod::Refund as RefundMethod,
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The refunds of an order, oldest first.
pub async fn list_refunds(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<Vec<Refund>> {
    list_refunds_of(db, &[order_id.get()]).await
}

/// Refunds with everything that is known of them, as the end of the query says.
macro_rules! select_refunds {
    ($end:literal, $parameter:expr) => {
        sqlx::query_as!(
            Refund,
            r#"select id, order_id as "order_id: OrderId", midtrans_order_id, transaction_id, refund_key,
             cause as "cause: RefundCause", amount, reason, state as "state: RefundState",
             method as "method: RefundMethod", reference, created_at
         from refunds "#
                + $end,
            $parameter,
        )
    };
}

/// The refunds of orders, oldest first.
pub async fn list_refunds_of(db: &mut PgConnection, orders: &[i64]) -> sqlx::Result<Vec<Refund>> {
    select_refunds!("where order_id = any($1) order by id", orders).fetch_all(db).await
}

pub async fn find_refund(db: &mut PgConnection, id: i64) -> sqlx::Result<Option<Refund>> {
    select_refunds!("where id = $1", id).fetch_optional(db).await
}

/// The refunds of what was paid on attempts that Midtrans was not asked for yet.
pub async fn list_requested_refunds(
    db: &mut PgConnection,
    midtrans_order_ids: &[&str],
) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        "select refunds.id from payment_attempts attempt
         join refunds on refunds.order_id = attempt.order_id and refunds.transaction_id = attempt.transaction_id
         where attempt.midtrans_order_id = any($1) and state = $2",
        midtrans_order_ids as &[&str],
        RefundState::Requested as RefundState,
    )
    .fetch_all(db)
    .await
}

/// Notes that Midtrans is about to be asked, and how; false if the refund is closed.
pub async fn mark_refund_sent(db: &mut PgConnection, id: i64, method: RefundMethod) -> sqlx::Result<bool> {
    let sent = sqlx::query!(
        "update refunds set state = $2, method = $3, updated_at = now() where id = $1 and state in ($2, $4)",
        id,
        RefundState::Sent as RefundState,
        method as RefundMethod,
        RefundState::Requested as RefundState,
    )
    .execute(db)
    .await?;
    Ok(sent.rows_affected() == 1)
}

/// The money went back; `method` and `reference` where a person did it.
pub async fn complete_refund(
    db: &mut PgConnection,
    id: i64,
    method: Option<RefundMethod>,
    reference: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update refunds
         set state = $2, method = coalesce($3, method), reference = $4, updated_at = now()
         where id = $1",
        id,
        RefundState::Done as RefundState,
        method as Option<RefundMethod>,
        reference,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The worker is through with it without the money having gone back: MANUAL or REFUSED.
pub async fn end_refund(db: &mut PgConnection, id: i64, state: RefundState) -> sqlx::Result<()> {
    sqlx::query!(
        "update refunds set state = $2, updated_at = now() where id = $1 and state in ($3, $4)",
        id,
        state as RefundState,
        RefundState::Requested as RefundState,
        RefundState::Sent as RefundState,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How much waits for a person.
pub async fn count_waiting_for_people(db: &mut PgConnection) -> sqlx::Result<Waiting> {
    sqlx::query_as!(
        Waiting,
        r#"select (select count(*) from refunds where state = 'MANUAL') as "manual!",
             (select count(*) from payments where status = 'REVIEW') as "review!""#,
    )
    .fetch_one(db)
    .await
}
