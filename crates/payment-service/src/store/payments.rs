//! Payments, one for each order, and the history of their states.

use std::collections::BTreeMap;

use chassis::context::Trace;
use contracts::{OrderId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::{Paid, Payment, Status};

/// A payment as `OrderCreated` opens it.
#[derive(Debug)]
pub struct NewPayment<'a> {
    pub order_id: OrderId,
    pub user_id: UserId,
    /// What the order costs, in whole rupiah.
    pub amount: i64,
    /// The correlation id of the purchase.
    pub correlation_id: &'a str,
    /// The W3C trace context of the purchase.
    pub traceparent: &'a str,
}

pub(super) struct Row {
    pub order_id: OrderId,
    pub user_id: UserId,
    pub amount: Option<i64>,
    pub status: Status,
    pub expires_at: Option<OffsetDateTime>,
    pub payment_type: Option<String>,
    pub paid_at: Option<OffsetDateTime>,
    pub paid_midtrans_order_id: Option<String>,
    pub paid_transaction_id: Option<String>,
    pub paid_amount: Option<i64>,
    pub refunded_amount: i64,
    pub order_ended_at: Option<OffsetDateTime>,
    pub undelivered_at: Option<OffsetDateTime>,
    pub correlation_id: String,
    pub traceparent: String,
}

impl From<Row> for Payment {
    fn from(row: Row) -> Self {
        let paid =
            row.paid_midtrans_order_id.zip(row.paid_transaction_id).zip(row.paid_at.zip(row.paid_amount));
        Self {
            order_id: row.order_id,
            user_id: row.user_id,
            amount: row.amount,
            status: row.status,
            expires_at: row.expires_at,
            paid: paid.map(|((midtrans_order_id, transaction_id), (at, amount))| Paid {
                midtrans_order_id,
                transaction_id,
                payment_type: row.payment_type.unwrap_or_default(),
                at,
                amount,
            }),
            refunded_amount: row.refunded_amount,
            order_ended: row.order_ended_at.is_some(),
            undelivered: row.undelivered_at.is_some(),
            trace: Trace::continued(Some(&row.correlation_id), Some(&row.traceparent)),
        }
    }
}

/// Starts the payments of many orders; returns how many are new. One that is known stays as it is, but a tombstone gets
/// its amount.
pub async fn insert_payments(db: &mut PgConnection, new: &[&NewPayment<'_>]) -> sqlx::Result<u64> {
    let orders: Vec<i64> = new.iter().map(|payment| payment.order_id.get()).collect();
    let users: Vec<i64> = new.iter().map(|payment| payment.user_id.get()).collect();
    let amounts: Vec<i64> = new.iter().map(|payment| payment.amount).collect();
    let correlation_ids: Vec<&str> = new.iter().map(|payment| payment.correlation_id).collect();
    let traceparents: Vec<&str> = new.iter().map(|payment| payment.traceparent).collect();
    let opened = sqlx::query!(
        "with opened as (
             insert into payments (order_id, user_id, amount, status, correlation_id, traceparent)
             select distinct on (order_id) order_id, user_id, amount, $4, correlation_id, traceparent
             from unnest($1::bigint[], $2::bigint[], $3::bigint[], $5::text[], $6::text[])
                 as new (order_id, user_id, amount, correlation_id, traceparent)
             order by order_id
             on conflict (order_id) do update set amount = excluded.amount
                 where payments.amount is null and payments.user_id = excluded.user_id
             returning order_id, status
         )
         insert into payment_history (order_id, to_status, cause)
         select order_id, status, 'order_created' from opened where status = $4",
        &orders,
        &users,
        &amounts,
        Status::Pending as Status,
        &correlation_ids as &[&str],
        &traceparents as &[&str],
    )
    .execute(db)
    .await?;
    Ok(opened.rows_affected())
}

/// Whose payments some orders have, and what those cost.
pub async fn list_owners(
    db: &mut PgConnection,
    of: &[&NewPayment<'_>],
) -> sqlx::Result<BTreeMap<OrderId, (UserId, Option<i64>)>> {
    let orders: Vec<i64> = of.iter().map(|payment| payment.order_id.get()).collect();
    let known = sqlx::query!(
        r#"select order_id as "order_id: OrderId", user_id as "user_id: UserId", amount
           from payments where order_id = any($1)"#,
        &orders,
    )
    .fetch_all(db)
    .await?;
    Ok(known.into_iter().map(|row| (row.order_id, (row.user_id, row.amount))).collect())
}

/// An order that ended before its `OrderCreated` came.
#[derive(Debug)]
pub struct NewTombstone<'a> {
    pub order_id: OrderId,
    pub user_id: UserId,
    pub trace: &'a Trace,
}

/// Closes the payments of orders that are not known yet. Returns whether none was known.
pub async fn insert_tombstones(db: &mut PgConnection, new: &[NewTombstone<'_>]) -> sqlx::Result<bool> {
    if new.is_empty() {
        return Ok(true);
    }
    let orders: Vec<i64> = new.iter().map(|tombstone| tombstone.order_id.get()).collect();
    let users: Vec<i64> = new.iter().map(|tombstone| tombstone.user_id.get()).collect();
    let correlation_ids: Vec<&str> = new.iter().map(|it| it.trace.correlation_id.as_str()).collect();
    let traceparents: Vec<&str> = new.iter().map(|it| it.trace.traceparent.as_str()).collect();
    let inserted = sqlx::query!(
        "with closed as (
             insert into payments (order_id, user_id, status, order_ended_at, correlation_id, traceparent)
             select order_id, user_id, $5, now(), correlation_id, traceparent
             from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[])
                 as new (order_id, user_id, correlation_id, traceparent)
             on conflict (order_id) do nothing
             returning order_id, status
         )
         insert into payment_history (order_id, to_status, cause)
         select order_id, status, 'order_cancelled' from closed",
        &orders,
        &users,
        &correlation_ids as &[&str],
        &traceparents as &[&str],
        Status::Cancelled as Status,
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == new.len() as u64)
}

/// Payments with everything that is known of them, as the end of the query says.
macro_rules! select_payments {
    ($end:literal, $parameter:expr) => {
        sqlx::query_as!(
            Row,
            r#"select order_id as "order_id: OrderId", user_id as "user_id: UserId", amount, status as "status: Status",
             expires_at, payment_type, paid_at, paid_midtrans_order_id, paid_transaction_id, paid_amount, refunded_amount,
             order_ended_at, undelivered_at, correlation_id, traceparent
         from payments "# + $end,
            $parameter,
        )
    };
}

pub async fn find_payment(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<Option<Payment>> {
    let row = select_payments!("where order_id = $1", order_id.get()).fetch_optional(db).await?;
    Ok(row.map(Payment::from))
}

/// A payment that nobody else can change until the transaction ends. Whoever changes anything of a payment starts here.
pub async fn lock_payment(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<Option<Payment>> {
    Ok(lock_payments(db, &[order_id.get()]).await?.remove(&order_id))
}

/// As [`lock_payment`], in the order of their ids, so that no two transactions deadlock.
pub async fn lock_payments(
    db: &mut PgConnection,
    orders: &[i64],
) -> sqlx::Result<BTreeMap<OrderId, Payment>> {
    let locked = select_payments!("where order_id = any($1) order by order_id for update", orders);
    let rows = locked.fetch_all(db).await?;
    Ok(rows.into_iter().map(|row| (row.order_id, Payment::from(row))).collect())
}

/// A change of a payment's state.
#[derive(Debug)]
pub struct Move {
    pub order_id: OrderId,
    /// The state that the change was decided for.
    pub from: Status,
    pub to: Status,
    /// What moved it, for the history.
    pub cause: String,
    /// What is known to have paid it.
    pub paid: Option<Paid>,
}

/// A payment was not in the state that it was to be moved from: whoever moves it has not locked it.
#[derive(Debug, thiserror::Error)]
#[error("not all of these payments are in the state any more that they are to be moved from: {0:?}")]
pub struct StateChanged(Vec<i64>);

/// Moves payments that are locked, records what paid them, and adds rows with the causes to their history.
///
/// # Errors
/// [`StateChanged`], as the source of a decoding error, if one is in another state; or if the database does not answer.
pub async fn move_payments(db: &mut PgConnection, moves: &[Move]) -> sqlx::Result<()> {
    if moves.is_empty() {
        return Ok(());
    }
    let paid = || moves.iter().map(|change| change.paid.as_ref());
    let orders: Vec<i64> = moves.iter().map(|change| change.order_id.get()).collect();
    let from: Vec<Status> = moves.iter().map(|change| change.from).collect();
    let to: Vec<Status> = moves.iter().map(|change| change.to).collect();
    let causes: Vec<&str> = moves.iter().map(|change| change.cause.as_str()).collect();
    let transactions: Vec<Option<&str>> = paid().map(|paid| Some(paid?.transaction_id.as_str())).collect();
    let attempts: Vec<Option<&str>> = paid().map(|paid| Some(paid?.midtrans_order_id.as_str())).collect();
    let types: Vec<Option<&str>> = paid().map(|paid| Some(paid?.payment_type.as_str())).collect();
    let at: Vec<Option<OffsetDateTime>> = paid().map(|paid| Some(paid?.at)).collect();
    let amounts: Vec<Option<i64>> = paid().map(|paid| Some(paid?.amount)).collect();
    let updated = sqlx::query!(
        "with moved as (
             update payments
             set status = change.to_status, updated_at = now(), paid_transaction_id = change.transaction_id,
                 paid_midtrans_order_id = change.midtrans_order_id, payment_type = change.payment_type,
                 paid_at = change.paid_at, paid_amount = change.paid_amount
             from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                 $8::timestamptz[], $9::bigint[])
                 as change (order_id, from_status, to_status, cause, transaction_id, midtrans_order_id, payment_type,
                     paid_at, paid_amount)
             where payments.order_id = change.order_id and status = change.from_status
             returning payments.order_id, change.from_status, change.to_status, change.cause
         )
         insert into payment_history (order_id, from_status, to_status, cause) select * from moved",
        &orders,
        &from as &[Status],
        &to as &[Status],
        &causes as &[&str],
        &transactions as &[Option<&str>],
        &attempts as &[Option<&str>],
        &types as &[Option<&str>],
        &at as &[Option<OffsetDateTime>],
        &amounts as &[Option<i64>],
    )
    .execute(db)
    .await?;
    if updated.rows_affected() == moves.len() as u64 {
        return Ok(());
    }
    Err(sqlx::Error::Decode(StateChanged(orders).into()))
}

/// Moves one payment.
///
/// # Errors
/// As [`move_payments`].
pub async fn move_payment(
    db: &mut PgConnection,
    payment: &Payment,
    to: Status,
    cause: &str,
) -> sqlx::Result<()> {
    let (order_id, from, paid) = (payment.order_id, payment.status, payment.paid.clone());
    move_payments(db, &[Move { order_id, from, to, cause: cause.to_owned(), paid }]).await
}

/// Sets what went back in all, in whole rupiah.
pub async fn record_refunded_amount(
    db: &mut PgConnection,
    order_id: OrderId,
    refunded: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update payments set refunded_amount = $2, updated_at = now() where order_id = $1",
        order_id.get(),
        refunded,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that the orders are over.
pub async fn mark_orders_ended(db: &mut PgConnection, orders: &[i64]) -> sqlx::Result<()> {
    if orders.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update payments set order_ended_at = now() where order_id = any($1) and order_ended_at is null",
        orders
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that the goods could not be delivered.
pub async fn mark_undelivered(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<()> {
    sqlx::query!(
        "update payments set undelivered_at = coalesce(undelivered_at, now()) where order_id = $1",
        order_id.get(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether Midtrans may be asked now because somebody looks: the payment is open, has a page, is the user's, and was not
/// asked about within five seconds.
pub async fn claim_look(
    db: &mut PgConnection,
    order_id: OrderId,
    owner: Option<UserId>,
) -> sqlx::Result<bool> {
    let asked = sqlx::query!(
        "update payments set asked_at = now()
         where order_id = $1 and user_id = coalesce($2, user_id) and status in ($3, $4) and expires_at is not null
             and (asked_at is null or asked_at < now() - interval '5 seconds')",
        order_id.get(),
        owner.map(UserId::get),
        Status::Pending as Status,
        Status::Challenge as Status,
    )
    .execute(db)
    .await?;
    Ok(asked.rows_affected() == 1)
}
