//! The pages at Midtrans.

use std::time::Duration;

use chassis::database::interval;
use contracts::{OrderId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::{Attempt, Poll, Status};

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
    /// The time by the database's clock, by which all of a payment's times are.
    pub now: OffsetDateTime,
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
}

/// A payment with its newest attempt.
pub async fn find_link(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<Option<Link>> {
    sqlx::query_as!(
        Link,
        r#"select p.status as "status: Status", p.user_id as "user_id: UserId", p.amount, p.expires_at,
             a.n as "n?", a.midtrans_order_id as "midtrans_order_id?", a.payment_url as "payment_url?",
             coalesce(a.id_taken, false) as "id_taken!", now() as "now!"
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
pub async fn lease_attempt(
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
pub async fn release_attempt(db: &mut PgConnection, midtrans_order_id: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update payment_attempts set leased_until = null where midtrans_order_id = $1",
        midtrans_order_id
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that Midtrans has a payment of this id already.
pub async fn mark_id_taken(db: &mut PgConnection, midtrans_order_id: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update payment_attempts set id_taken = true, leased_until = null where midtrans_order_id = $1",
        midtrans_order_id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps a page that was made.
pub async fn record_page(db: &mut PgConnection, linked: &Linked<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "update payment_attempts
         set token = $2, payment_url = $3, linked_at = now(), leased_until = null
         where midtrans_order_id = $1",
        linked.midtrans_order_id,
        linked.token,
        linked.payment_url,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Records what Midtrans says of a transaction of an attempt; false if it is known to be another attempt's.
pub async fn record_transaction(
    db: &mut PgConnection,
    midtrans_order_id: &str,
    transaction: &midtrans::Transaction,
) -> sqlx::Result<bool> {
    let recorded = sqlx::query!(
        "with claimed as (
             insert into transactions (transaction_id, midtrans_order_id) values ($2, $1)
             on conflict (transaction_id) do nothing returning midtrans_order_id
         ), owner as (
             select midtrans_order_id from claimed
             union all select midtrans_order_id from transactions where transaction_id = $2
         )
         update payment_attempts
         set transaction_id = $2, midtrans_status = $3, payment_type = $4, charged = $5,
             settled_at = coalesce($6, settled_at)
         where midtrans_order_id = $1 and $1 = (select midtrans_order_id from owner)",
        midtrans_order_id,
        transaction.transaction_id,
        transaction.transaction_status.as_str(),
        transaction.payment_type,
        transaction.charged_for_order(),
        transaction.settlement_time,
    )
    .execute(db)
    .await?;
    Ok(recorded.rows_affected() == 1)
}

/// One attempt.
pub async fn find_attempt(db: &mut PgConnection, midtrans_order_id: &str) -> sqlx::Result<Option<Attempt>> {
    sqlx::query_as!(
        Attempt,
        r#"select a.midtrans_order_id, a.order_id as "order_id: OrderId", a.token, a.transaction_id,
               a.midtrans_status is not distinct from 'capture' as "captured!",
               coalesce(a.closing_at > now() - interval '1 minute', false) as "closing!",
               coalesce(p.expires_at < now() - interval '1 minute', false) as "overdue!"
           from payment_attempts a join payments p on p.order_id = a.order_id
           where a.midtrans_order_id = $1"#,
        midtrans_order_id,
    )
    .fetch_optional(db)
    .await
}

/// Notes that Midtrans is about to be asked to close the pages of an order. The note is good for a minute: an intention
/// that was not carried out by then does not explain what happens later.
pub async fn start_closing(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<()> {
    sqlx::query!("update payment_attempts set closing_at = now() where order_id = $1", order_id.get())
        .execute(db)
        .await?;
    Ok(())
}

/// Takes that note back: the answer is there.
pub async fn end_closing(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<()> {
    sqlx::query!("update payment_attempts set closing_at = null where order_id = $1", order_id.get())
        .execute(db)
        .await?;
    Ok(())
}

/// The attempts of an order, oldest first.
pub async fn list_attempts(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<Vec<Attempt>> {
    sqlx::query_as!(
        Attempt,
        r#"select a.midtrans_order_id, a.order_id as "order_id: OrderId", a.token, a.transaction_id,
               a.midtrans_status is not distinct from 'capture' as "captured!",
               coalesce(a.closing_at > now() - interval '1 minute', false) as "closing!",
               coalesce(p.expires_at < now() - interval '1 minute', false) as "overdue!"
           from payment_attempts a join payments p on p.order_id = a.order_id
           where a.order_id = $1 order by a.n"#,
        order_id.get(),
    )
    .fetch_all(db)
    .await
}

/// What is known of an attempt that Midtrans is to be asked about.
pub async fn find_poll(db: &mut PgConnection, midtrans_order_id: &str) -> sqlx::Result<Option<Poll>> {
    let found = sqlx::query!(
        r#"select p.status as "status: Status",
             p.paid_midtrans_order_id is not distinct from a.midtrans_order_id as "paid_here!",
             extract(epoch from now() - a.linked_at)::float8 as since_linked,
             extract(epoch from p.expires_at - now())::float8 as until_end,
             extract(epoch from now() - p.paid_at)::float8 as since_paid
         from payment_attempts a join payments p on p.order_id = a.order_id
         where a.midtrans_order_id = $1"#,
        midtrans_order_id,
    )
    .fetch_optional(db)
    .await?;
    let duration =
        |seconds: Option<f64>| Duration::try_from_secs_f64(seconds.unwrap_or_default()).unwrap_or_default();
    Ok(found.map(|row| Poll {
        status: row.status,
        paid_here: row.paid_here,
        since_linked: duration(row.since_linked),
        until_end: duration(row.until_end),
        since_paid: duration(row.since_paid),
    }))
}
