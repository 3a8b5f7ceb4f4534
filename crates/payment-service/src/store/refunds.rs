//! The refunds.

use std::time::Duration;

use contracts::{OrderId, events::RefundCause};
use sqlx::PgConnection;
use uuid::Uuid;

use super::interval;
use crate::domain::{Refund, RefundMethod, RefundState};

/// A refund that was decided on.
#[derive(Debug)]
pub struct NewRefund<'a> {
    /// The order.
    pub order_id: OrderId,
    /// The attempt whose money it is.
    pub midtrans_order_id: &'a str,
    /// The transaction whose money it is.
    pub transaction_id: &'a str,
    /// Why.
    pub cause: RefundCause,
    /// How much, in rupiah.
    pub amount: i64,
    /// In an administrator's words.
    pub reason: Option<&'a str>,
}

/// What waits for a person.
#[derive(Debug, Default, Clone, Copy)]
pub struct Waiting {
    /// Refunds that Midtrans cannot make.
    pub manual: i64,
    /// Payments of another amount than asked for.
    pub review: i64,
}

/// Writes a refund for the worker to make. False if there is one of this cause already, unless an administrator asks.
pub async fn insert_refund(db: &mut PgConnection, new: &NewRefund<'_>) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "insert into refunds
             (order_id, midtrans_order_id, transaction_id, refund_key, cause, amount, reason, state, next_try_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, now())
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

/// Writes a refund that was made past us, as Midtrans tells of it. Nothing if it is known.
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
    sqlx::query_as!(
        Refund,
        r#"select id, order_id as "order_id: OrderId", midtrans_order_id, transaction_id, refund_key,
             cause as "cause: RefundCause", amount, reason, state as "state: RefundState",
             method as "method: RefundMethod", reference, tries, created_at
         from refunds where order_id = $1 order by id"#,
        order_id.get(),
    )
    .fetch_all(db)
    .await
}

/// How far a refund has come.
pub async fn find_refund_state(db: &mut PgConnection, id: i64) -> sqlx::Result<RefundState> {
    sqlx::query_scalar!(r#"select state as "state: RefundState" from refunds where id = $1"#, id)
        .fetch_one(db)
        .await
}

/// Takes refunds to make.
pub async fn claim_refunds(db: &mut PgConnection, limit: i64, lease: Duration) -> sqlx::Result<Vec<Refund>> {
    sqlx::query_as!(
        Refund,
        r#"update refunds set next_try_at = now() + $2, tries = tries + 1
         where id = any (array(
             select id from refunds where next_try_at <= now()
             order by next_try_at limit $1 for update skip locked
         ))
         returning id, order_id as "order_id: OrderId", midtrans_order_id, transaction_id, refund_key,
             cause as "cause: RefundCause", amount, reason, state as "state: RefundState",
             method as "method: RefundMethod", reference, tries, created_at"#,
        limit,
        interval(lease),
    )
    .fetch_all(db)
    .await
}

/// Notes that Midtrans is about to be asked, and how; false if the refund is closed.
pub async fn update_refund_sent(db: &mut PgConnection, id: i64, method: RefundMethod) -> sqlx::Result<bool> {
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

/// Later again, unless it became due or was taken by somebody else since it was claimed.
pub async fn update_refund_again(
    db: &mut PgConnection,
    claimed: &Refund,
    after: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update refunds set next_try_at = now() + $3 where id = $1 and tries = $2 and state in ($4, $5)",
        claimed.id,
        claimed.tries,
        interval(after),
        RefundState::Requested as RefundState,
        RefundState::Sent as RefundState,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Makes those of a transaction due that wait for it. Counts as a try, so that whoever looked before does not put it off.
pub async fn update_refunds_due(
    db: &mut PgConnection,
    order_id: OrderId,
    transaction_id: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update refunds set next_try_at = now(), tries = tries + 1
         where order_id = $1 and transaction_id = $2 and state = $3",
        order_id.get(),
        transaction_id,
        RefundState::Requested as RefundState,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The money went back; `method` and `reference` where a person did it.
pub async fn update_refund_done(
    db: &mut PgConnection,
    id: i64,
    method: Option<RefundMethod>,
    reference: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update refunds
         set state = $2, method = coalesce($3, method), reference = $4, next_try_at = null, updated_at = now()
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
pub async fn update_refund_state(db: &mut PgConnection, id: i64, state: RefundState) -> sqlx::Result<()> {
    sqlx::query!(
        "update refunds set state = $2, next_try_at = null, updated_at = now() where id = $1 and state in ($3, $4)",
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
