//! What Midtrans notified us of.

use std::time::Duration;

use sqlx::PgConnection;

use super::interval;

/// A notification whose signature was right.
#[derive(Debug)]
pub struct Notification {
    /// Its row.
    pub id: i64,
    /// The attempt it is about: signed.
    pub midtrans_order_id: String,
    /// The transactions that were named: not signed, so only a hint.
    pub transaction_ids: Vec<String>,
    /// What it says became of the last of them: not signed either.
    pub transaction_status: String,
    /// How often it has come.
    pub received: i32,
    /// How often it was tried.
    pub tries: i32,
}

/// The content of a notification that is kept.
#[derive(Debug)]
pub struct NewNotification<'a> {
    /// Midtrans' `order_id`: signed.
    pub midtrans_order_id: &'a str,
    /// Midtrans' `status_code`: signed.
    pub status_code: &'a str,
    /// Midtrans' `gross_amount`: signed.
    pub gross_amount: &'a str,
    /// Midtrans' `transaction_id`.
    pub transaction_id: &'a str,
    /// Midtrans' `transaction_status`.
    pub transaction_status: &'a str,
}

/// Keeps a notification, one row for each signed content. One that comes again is handled again, but not within five
/// seconds after it was handled: Midtrans' status may not have been up to date the first time.
pub async fn insert_notification(db: &mut PgConnection, new: &NewNotification<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into notifications
             (midtrans_order_id, status_code, gross_amount, transaction_ids, transaction_status)
         values ($1, $2, $3, array[$4], $5)
         on conflict on constraint notifications_once do update
         set transaction_ids = case
                 when $4 = any (notifications.transaction_ids) then notifications.transaction_ids
                 else notifications.transaction_ids[1:7] || $4
             end,
             transaction_status = excluded.transaction_status,
             received = notifications.received + 1,
             handled_at = null,
             tries = 0,
             next_try_at = greatest(now(), notifications.handled_at + interval '5 seconds')",
        new.midtrans_order_id,
        new.status_code,
        new.gross_amount,
        new.transaction_id,
        new.transaction_status,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes notifications to handle, oldest first.
pub async fn claim_notifications(
    db: &mut PgConnection,
    limit: i64,
    lease: Duration,
) -> sqlx::Result<Vec<Notification>> {
    sqlx::query_as!(
        Notification,
        "update notifications set next_try_at = now() + $2, tries = tries + 1
         where id = any (array(
             select id from notifications where handled_at is null and next_try_at <= now()
             order by next_try_at limit $1 for update skip locked
         ))
         returning id, midtrans_order_id, transaction_ids, transaction_status, received, tries",
        limit,
        interval(lease),
    )
    .fetch_all(db)
    .await
}

/// Done with it, unless it came once more since it was taken.
pub async fn mark_notification_handled(
    db: &mut PgConnection,
    notification: &Notification,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update notifications set handled_at = now() where id = $1 and received = $2",
        notification.id,
        notification.received,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Not done with it: it is tried again.
pub async fn retry_notification(db: &mut PgConnection, id: i64, after: Duration) -> sqlx::Result<()> {
    sqlx::query!("update notifications set next_try_at = now() + $2 where id = $1", id, interval(after))
        .execute(db)
        .await?;
    Ok(())
}

/// Removes some of what was handled a month ago; returns how many rows.
pub async fn purge_notifications(db: &mut PgConnection, limit: i64) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from notifications where id = any (array(
             select id from notifications where handled_at < now() - interval '30 days' limit $1
         ))",
        limit,
    );
    Ok(deleted.execute(db).await?.rows_affected())
}
