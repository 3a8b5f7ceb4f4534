//! The pages at Midtrans.

use std::time::Duration;

use contracts::{OrderId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::interval;
use crate::domain::{Attempt, Status};

/// A payment and its newest attempt, as `GetPaymentURL` needs them.
#[derive(Debug)]
pub struct Link {
    /// Where the payment stands.
    pub status: Status,
    /// The buyer.
    pub user_id: UserId,
    /// What the order costs, in rupiah.
    pub amount: Option<i64>,
    /// When the page ends.
    pub expires_at: Option<OffsetDateTime>,
    /// The newest attempt's number.
    pub n: Option<i32>,
    /// The newest attempt's id at Midtrans.
    pub midtrans_order_id: Option<String>,
    /// Midtrans has a payment of that id already, which cannot be ours.
    pub id_taken: bool,
    /// The page, once it is made.
    pub payment_url: Option<String>,
}

/// A page that Midtrans has made.
#[derive(Debug)]
pub struct Linked<'a> {
    /// The attempt it was made for.
    pub midtrans_order_id: &'a str,
    /// The page's id.
    pub token: &'a str,
    /// Its address.
    pub payment_url: &'a str,
    /// When it is asked about first.
    pub next_poll_at: Option<OffsetDateTime>,
}

/// A payment with its newest attempt.
pub async fn find_link(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<Option<Link>> {
    sqlx::query_as!(
        Link,
        r#"select p.status as "status: Status", p.user_id as "user_id: UserId", p.amount, p.expires_at,
             a.n as "n?", a.midtrans_order_id as "midtrans_order_id?", a.payment_url as "payment_url?",
             coalesce(a.id_taken, false) as "id_taken!"
         from payments p
         left join payment_attempts a on a.order_id = p.order_id
         where p.order_id = $1 order by a.n desc nulls last limit 1"#,
        order_id.get(),
    )
    .fetch_optional(db)
    .await
}

/// Takes the right to make the page of a new attempt; false if somebody else was faster.
pub async fn insert_attempt(
    db: &mut PgConnection,
    midtrans_order_id: &str,
    order_id: OrderId,
    n: i32,
    lease: Duration,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into payment_attempts (midtrans_order_id, order_id, n, leased_until) values ($1, $2, $3, now() + $4)
         on conflict (order_id, n) do nothing",
        midtrans_order_id,
        order_id.get(),
        n,
        interval(lease),
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Takes the right to make the page of an attempt that has none, unless somebody holds it.
pub async fn update_attempt_lease(
    db: &mut PgConnection,
    midtrans_order_id: &str,
    lease: Duration,
) -> sqlx::Result<bool> {
    let taken = sqlx::query!(
        "update payment_attempts set leased_until = now() + $2
         where midtrans_order_id = $1 and token is null and coalesce(leased_until, now()) <= now()",
        midtrans_order_id,
        interval(lease),
    )
    .execute(db)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Gives the right to make the page back: it could not be made.
pub async fn update_attempt_abandoned(db: &mut PgConnection, midtrans_order_id: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update payment_attempts set leased_until = null where midtrans_order_id = $1",
        midtrans_order_id
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that Midtrans has a payment of this id already.
pub async fn update_attempt_id_taken(db: &mut PgConnection, midtrans_order_id: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update payment_attempts set id_taken = true, leased_until = null where midtrans_order_id = $1",
        midtrans_order_id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps a page that was made.
pub async fn update_attempt_linked(db: &mut PgConnection, linked: &Linked<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "update payment_attempts
         set token = $2, payment_url = $3, linked_at = now(), next_poll_at = $4, leased_until = null
         where midtrans_order_id = $1",
        linked.midtrans_order_id,
        linked.token,
        linked.payment_url,
        linked.next_poll_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps what Midtrans said of a transaction.
pub async fn update_attempt_seen(
    db: &mut PgConnection,
    transaction: &midtrans::Transaction,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update payment_attempts
         set transaction_id = $2, midtrans_status = $3, payment_type = $4, charged = $5,
             settled_at = coalesce($6, settled_at)
         where midtrans_order_id = $1",
        transaction.order_id,
        transaction.transaction_id,
        transaction.transaction_status.as_str(),
        transaction.payment_type,
        transaction.charged_for_order(),
        transaction.settlement_time,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// One attempt.
pub async fn find_attempt(db: &mut PgConnection, midtrans_order_id: &str) -> sqlx::Result<Option<Attempt>> {
    sqlx::query_as!(
        Attempt,
        r#"select midtrans_order_id, order_id as "order_id: OrderId", n, token, transaction_id, linked_at,
                midtrans_status is not distinct from 'capture' as "captured!", closing_at is not null as "closing!"
         from payment_attempts where midtrans_order_id = $1"#,
        midtrans_order_id,
    )
    .fetch_optional(db)
    .await
}

/// Notes that Midtrans is about to be asked to close the pages of an order.
pub async fn update_attempts_closing(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<()> {
    sqlx::query!(
        "update payment_attempts set closing_at = coalesce(closing_at, now()) where order_id = $1",
        order_id.get(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The attempts of an order, oldest first.
pub async fn list_attempts(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<Vec<Attempt>> {
    sqlx::query_as!(
        Attempt,
        r#"select midtrans_order_id, order_id as "order_id: OrderId", n, token, transaction_id, linked_at,
                midtrans_status is not distinct from 'capture' as "captured!", closing_at is not null as "closing!"
         from payment_attempts where order_id = $1 order by n"#,
        order_id.get(),
    )
    .fetch_all(db)
    .await
}

/// Takes attempts that Midtrans is to be asked about.
pub async fn claim_polls(db: &mut PgConnection, limit: i64, lease: Duration) -> sqlx::Result<Vec<Attempt>> {
    sqlx::query_as!(
        Attempt,
        r#"update payment_attempts set next_poll_at = now() + $2
         where midtrans_order_id = any (array(
             select midtrans_order_id from payment_attempts where next_poll_at <= now()
             order by next_poll_at limit $1 for update skip locked
         ))
         returning midtrans_order_id, order_id as "order_id: OrderId", n, token, transaction_id, linked_at,
             midtrans_status is not distinct from 'capture' as "captured!", closing_at is not null as "closing!""#,
        limit,
        interval(lease),
    )
    .fetch_all(db)
    .await
}

/// Says when an attempt is asked about next; `None`: no more.
pub async fn update_attempt_polled(
    db: &mut PgConnection,
    midtrans_order_id: &str,
    next: Option<OffsetDateTime>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update payment_attempts set next_poll_at = $2 where midtrans_order_id = $1",
        midtrans_order_id,
        next,
    )
    .execute(db)
    .await?;
    Ok(())
}
