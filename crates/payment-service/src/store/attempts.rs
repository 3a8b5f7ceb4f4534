//! The attempts: pages at Midtrans, made or about to be made, each with its lease.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chassis::database::interval;
use contracts::{OrderId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::payments::lock_payments;
use crate::domain::{Attempt, Payment, Poll, Status};

/// A payment and its newest attempt, as `GetPaymentURL` needs them.
#[derive(Debug)]
pub struct Link {
    pub order_id: OrderId,
    pub status: Status,
    pub user_id: UserId,
    /// What the order costs, in rupiah.
    pub amount: Option<i64>,
    pub expires_at: Option<OffsetDateTime>,
    /// The number of the newest attempt; `None` if there is none yet.
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

/// An attempt that is to be made.
#[derive(Debug)]
pub struct NewAttempt {
    pub midtrans_order_id: String,
    pub order_id: OrderId,
    /// Counts the attempts of an order, from 1.
    pub n: i32,
}

/// A page that Midtrans has made.
#[derive(Debug)]
pub struct MadePage {
    pub order_id: OrderId,
    /// The attempt it was made for.
    pub midtrans_order_id: String,
    /// The id by which Midtrans closes the page.
    pub token: String,
    pub payment_url: String,
    pub expires_at: OffsetDateTime,
}

/// A payment with its newest attempt.
pub async fn find_link(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<Option<Link>> {
    Ok(list_links(db, &[order_id.get()]).await?.remove(&order_id))
}

pub async fn list_links(db: &mut PgConnection, orders: &[i64]) -> sqlx::Result<BTreeMap<OrderId, Link>> {
    let links = sqlx::query_as!(
        Link,
        r#"select distinct on (p.order_id) p.order_id as "order_id: OrderId", p.status as "status: Status",
             p.user_id as "user_id: UserId", p.amount, p.expires_at,
             a.n as "n?", a.midtrans_order_id as "midtrans_order_id?", a.payment_url as "payment_url?",
             coalesce(a.id_taken, false) as "id_taken!", now() as "now!"
         from payments p
         left join payment_attempts a on a.order_id = p.order_id
         where p.order_id = any($1) order by p.order_id, a.n desc nulls last"#,
        orders,
    )
    .fetch_all(db)
    .await?;
    Ok(links.into_iter().map(|link| (link.order_id, link)).collect())
}

/// Takes the right to make the pages of new attempts, and returns of which: of the others somebody else was faster.
pub async fn insert_attempts(
    db: &mut PgConnection,
    new: &[NewAttempt],
    lease: Duration,
) -> sqlx::Result<BTreeSet<String>> {
    let ids: Vec<&str> = new.iter().map(|attempt| attempt.midtrans_order_id.as_str()).collect();
    let orders: Vec<i64> = new.iter().map(|attempt| attempt.order_id.get()).collect();
    let numbers: Vec<i32> = new.iter().map(|attempt| attempt.n).collect();
    let inserted = sqlx::query_scalar!(
        "insert into payment_attempts (midtrans_order_id, order_id, n, leased_until)
         select midtrans_order_id, order_id, n, now() + $4
         from unnest($1::text[], $2::bigint[], $3::integer[]) as new (midtrans_order_id, order_id, n)
         order by order_id
         on conflict (order_id, n) do nothing
         returning midtrans_order_id",
        &ids as &[&str],
        &orders,
        &numbers,
        interval(lease),
    )
    .fetch_all(db)
    .await?;
    Ok(inserted.into_iter().collect())
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

/// Keeps pages that were made, and sets the end of their payments. Returns the orders that can be paid: the others left
/// PENDING meanwhile.
pub async fn record_pages(db: &mut PgConnection, made: &[MadePage]) -> sqlx::Result<BTreeSet<OrderId>> {
    let ids: Vec<&str> = made.iter().map(|page| page.midtrans_order_id.as_str()).collect();
    let orders: Vec<i64> = made.iter().map(|page| page.order_id.get()).collect();
    let tokens: Vec<&str> = made.iter().map(|page| page.token.as_str()).collect();
    let urls: Vec<&str> = made.iter().map(|page| page.payment_url.as_str()).collect();
    let ends: Vec<OffsetDateTime> = made.iter().map(|page| page.expires_at).collect();
    let open = sqlx::query_scalar!(
        r#"with page as (
             select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[])
                 as page (midtrans_order_id, order_id, token, payment_url, expires_at)
         ), linked as (
             update payment_attempts
             set token = page.token, payment_url = page.payment_url, linked_at = now(), leased_until = null
             from page where payment_attempts.midtrans_order_id = page.midtrans_order_id
         )
         update payments set expires_at = page.expires_at, updated_at = now()
         from page
         where payments.order_id = page.order_id and status = $6 and order_ended_at is null
         returning payments.order_id as "order_id: OrderId""#,
        &ids as &[&str],
        &orders,
        &tokens as &[&str],
        &urls as &[&str],
        &ends,
        Status::Pending as Status,
    )
    .fetch_all(db)
    .await?;
    Ok(open.into_iter().collect())
}

/// What Midtrans says of a transaction of an attempt.
#[derive(Debug)]
pub struct Recorded<'a> {
    pub midtrans_order_id: &'a str,
    pub transaction: &'a midtrans::Transaction,
}

/// Records what Midtrans says of transactions, one for each attempt. Returns the attempts whose they are: one that is known
/// to be another attempt's is not recorded. What is known already is not written again: a watched payment is asked about often.
pub async fn record_transactions(
    db: &mut PgConnection,
    said: &[Recorded<'_>],
) -> sqlx::Result<BTreeSet<String>> {
    if said.is_empty() {
        return Ok(BTreeSet::new());
    }
    let transactions = || said.iter().map(|recorded| recorded.transaction);
    let attempts: Vec<&str> = said.iter().map(|recorded| recorded.midtrans_order_id).collect();
    let ids: Vec<&str> = transactions().map(|it| it.transaction_id.as_str()).collect();
    let statuses: Vec<&str> = transactions().map(|it| it.transaction_status.as_str()).collect();
    let types: Vec<&str> = transactions().map(|it| it.payment_type.as_str()).collect();
    let charged: Vec<i64> = transactions().map(midtrans::Transaction::charged_for_order).collect();
    let settled: Vec<Option<OffsetDateTime>> = transactions().map(|it| it.settlement_time).collect();
    let recorded = sqlx::query_scalar!(
        r#"with said as (
             select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[])
                 as said (midtrans_order_id, transaction_id, status, payment_type, charged, settled_at)
         ), claimed as (
             insert into transactions (transaction_id, midtrans_order_id)
             select transaction_id, midtrans_order_id from said order by transaction_id
             on conflict (transaction_id) do nothing returning transaction_id, midtrans_order_id
         ), owner as (
             select transaction_id, midtrans_order_id from claimed
             union all
             select transaction_id, midtrans_order_id from transactions
             where transaction_id in (select transaction_id from said)
         ), ours as (
             select said.* from said join owner using (transaction_id, midtrans_order_id)
         ), changed as (
             update payment_attempts attempt
             set transaction_id = ours.transaction_id, midtrans_status = status, payment_type = ours.payment_type,
                 charged = ours.charged, settled_at = coalesce(ours.settled_at, attempt.settled_at)
             from ours
             where attempt.midtrans_order_id = ours.midtrans_order_id
                 and (attempt.transaction_id, midtrans_status, attempt.payment_type, attempt.charged, attempt.settled_at)
                     is distinct from (ours.transaction_id, status, ours.payment_type, ours.charged,
                         coalesce(ours.settled_at, attempt.settled_at))
         )
         select midtrans_order_id as "midtrans_order_id!" from ours"#,
        &attempts as &[&str],
        &ids as &[&str],
        &statuses as &[&str],
        &types as &[&str],
        &charged,
        &settled as &[Option<OffsetDateTime>],
    )
    .fetch_all(db)
    .await?;
    Ok(recorded.into_iter().collect())
}

/// An attempt with its payment, which nobody else can change until the transaction ends.
#[derive(Debug)]
pub struct Open {
    pub attempt: Attempt,
    pub payment: Payment,
}

/// Attempts with their payments; the payments are locked in the order of their ids, so that no two transactions deadlock.
pub async fn lock_attempts(
    db: &mut PgConnection,
    midtrans_order_ids: &[&str],
) -> sqlx::Result<BTreeMap<String, Open>> {
    let attempts = list_attempts_by_id(db, midtrans_order_ids).await?;
    let orders: Vec<i64> = attempts.iter().map(|attempt| attempt.order_id.get()).collect();
    let payments = lock_payments(db, &orders).await?;
    let open = attempts.into_iter().filter_map(|attempt| {
        let payment = payments.get(&attempt.order_id)?.clone();
        Some((attempt.midtrans_order_id.clone(), Open { attempt, payment }))
    });
    Ok(open.collect())
}

/// Attempts with what Midtrans says of them, as the end of the query says.
macro_rules! select_attempts {
    ($end:literal, $parameter:expr) => {
        sqlx::query_as!(
            Attempt,
            r#"select a.midtrans_order_id, a.order_id as "order_id: OrderId", a.token, a.transaction_id,
               a.midtrans_status is not distinct from 'capture' as "captured!",
               coalesce(a.closing_at > now() - interval '1 minute', false) as "closing!",
               coalesce(p.expires_at < now() - interval '1 minute', false) as "overdue!"
           from payment_attempts a join payments p on p.order_id = a.order_id
           "#
                + $end,
            $parameter,
        )
    };
}

/// Attempts by their ids at Midtrans.
pub async fn list_attempts_by_id(
    db: &mut PgConnection,
    midtrans_order_ids: &[&str],
) -> sqlx::Result<Vec<Attempt>> {
    select_attempts!("where a.midtrans_order_id = any($1)", midtrans_order_ids as &[&str]).fetch_all(db).await
}

pub async fn find_attempt(db: &mut PgConnection, midtrans_order_id: &str) -> sqlx::Result<Option<Attempt>> {
    Ok(list_attempts_by_id(db, &[midtrans_order_id]).await?.pop())
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
    select_attempts!("where a.order_id = $1 order by a.n", order_id.get()).fetch_all(db).await
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
