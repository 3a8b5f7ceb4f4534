//! The payments and their history.

use std::collections::BTreeMap;

use chassis::context::Trace;
use contracts::{OrderId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::{Paid, Payment, Status};

/// What `OrderCreated` says.
#[derive(Debug)]
pub struct NewPayment<'a> {
    /// The order.
    pub order_id: OrderId,
    /// The buyer.
    pub user_id: UserId,
    /// What it costs, in rupiah.
    pub amount: i64,
    /// The correlation id of the purchase.
    pub correlation_id: &'a str,
    /// Its trace context.
    pub traceparent: &'a str,
}

struct Row {
    order_id: OrderId,
    user_id: UserId,
    amount: Option<i64>,
    status: Status,
    expires_at: Option<OffsetDateTime>,
    payment_type: Option<String>,
    paid_at: Option<OffsetDateTime>,
    paid_midtrans_order_id: Option<String>,
    paid_transaction_id: Option<String>,
    paid_amount: Option<i64>,
    refunded_amount: i64,
    order_ended_at: Option<OffsetDateTime>,
    undelivered_at: Option<OffsetDateTime>,
    correlation_id: String,
    traceparent: String,
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

/// Closes the payment of an order that is not known yet, or does nothing if there is one.
pub async fn insert_tombstone(
    db: &mut PgConnection,
    order_id: OrderId,
    user_id: UserId,
    trace: &Trace,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "with closed as (
             insert into payments (order_id, user_id, status, order_ended_at, correlation_id, traceparent)
             values ($1, $2, $3, now(), $4, $5)
             on conflict (order_id) do nothing
             returning order_id, status
         )
         insert into payment_history (order_id, to_status, cause)
         select order_id, status, 'order_cancelled' from closed",
        order_id.get(),
        user_id.get(),
        Status::Cancelled as Status,
        trace.correlation_id,
        trace.traceparent,
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// A payment as it is.
pub async fn find_payment(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<Option<Payment>> {
    let row = sqlx::query_as!(
        Row,
        r#"select order_id as "order_id: OrderId", user_id as "user_id: UserId", amount, status as "status: Status",
             expires_at, payment_type, paid_at, paid_midtrans_order_id, paid_transaction_id, paid_amount, refunded_amount,
             order_ended_at, undelivered_at, correlation_id, traceparent
         from payments where order_id = $1"#,
        order_id.get(),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Payment::from))
}

/// A payment that nobody else can change until the transaction ends. Whoever changes anything of a payment starts here.
pub async fn lock_payment(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<Option<Payment>> {
    let row = sqlx::query_as!(
        Row,
        r#"select order_id as "order_id: OrderId", user_id as "user_id: UserId", amount, status as "status: Status",
             expires_at, payment_type, paid_at, paid_midtrans_order_id, paid_transaction_id, paid_amount, refunded_amount,
             order_ended_at, undelivered_at, correlation_id, traceparent
         from payments where order_id = $1 for update"#,
        order_id.get(),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Payment::from))
}

/// A payment was not in the state that it was to be moved from: whoever moves it has not locked it.
#[derive(Debug, thiserror::Error)]
#[error("payment of order {order_id} is not {from} any more")]
pub struct StateChanged {
    order_id: OrderId,
    from: Status,
}

/// Moves a payment that is in the state `from`, and adds a row with the cause to its history.
///
/// # Errors
/// [`StateChanged`], as the source of a decoding error, if it is in another state; or if the database does not answer.
pub async fn move_payment(
    db: &mut PgConnection,
    order_id: OrderId,
    from: Status,
    to: Status,
    cause: &str,
) -> sqlx::Result<()> {
    let moved = sqlx::query!(
        "with moved as (
             update payments set status = $3, updated_at = now() where order_id = $1 and status = $2
             returning order_id
         )
         insert into payment_history (order_id, from_status, to_status, cause)
         select order_id, $2, $3, $4 from moved",
        order_id.get(),
        from as Status,
        to as Status,
        cause,
    )
    .execute(db)
    .await?;
    if moved.rows_affected() == 1 {
        return Ok(());
    }
    Err(sqlx::Error::Decode(StateChanged { order_id, from }.into()))
}

/// Notes what paid.
pub async fn record_payment(db: &mut PgConnection, order_id: OrderId, paid: &Paid) -> sqlx::Result<()> {
    sqlx::query!(
        "update payments
         set paid_transaction_id = $2, payment_type = $3, paid_at = $4, paid_amount = $5, paid_midtrans_order_id = $6
         where order_id = $1",
        order_id.get(),
        paid.transaction_id,
        paid.payment_type,
        paid.at,
        paid.amount,
        paid.midtrans_order_id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes how much went back.
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

/// Notes that the order is over.
pub async fn mark_order_ended(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<()> {
    sqlx::query!(
        "update payments set order_ended_at = coalesce(order_ended_at, now()) where order_id = $1",
        order_id.get(),
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

/// Sets the end of a payment whose page was made, unless it left PENDING meanwhile.
pub async fn set_expiry(
    db: &mut PgConnection,
    order_id: OrderId,
    expires_at: OffsetDateTime,
) -> sqlx::Result<bool> {
    let open = sqlx::query!(
        "update payments set expires_at = $2, updated_at = now()
         where order_id = $1 and status = $3 and order_ended_at is null",
        order_id.get(),
        expires_at,
        Status::Pending as Status,
    )
    .execute(db)
    .await?;
    Ok(open.rows_affected() == 1)
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
