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
    /// The transaction it is about: not signed, so only a hint.
    pub transaction_id: String,
    /// How often it was tried.
    pub tries: i32,
}

/// What tells one notification from another.
#[derive(Debug)]
pub struct NewNotification<'a> {
    /// Midtrans' `order_id`.
    pub midtrans_order_id: &'a str,
    /// Midtrans' `transaction_id`.
    pub transaction_id: &'a str,
    /// Midtrans' `transaction_status`.
    pub transaction_status: &'a str,
    /// Midtrans' `fraud_status`, or nothing.
    pub fraud_status: &'a str,
    /// Midtrans' `refund_amount`, or nothing.
    pub refund_amount: &'a str,
}

/// Keeps a notification; false if it was there already. One that comes again some time after it was handled is handled
/// again: Midtrans' status may not have been up to date the first time.
pub async fn insert_notification(db: &mut PgConnection, new: &NewNotification<'_>) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into notifications
             (midtrans_order_id, transaction_id, transaction_status, fraud_status, refund_amount)
         values ($1, $2, $3, $4, $5)
         on conflict on constraint notifications_once
             do update set handled_at = null, next_try_at = now(), tries = 0
             where notifications.handled_at < now() - interval '5 seconds'",
        new.midtrans_order_id,
        new.transaction_id,
        new.transaction_status,
        new.fraud_status,
        new.refund_amount,
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
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
         returning id, midtrans_order_id, transaction_id, tries",
        limit,
        interval(lease),
    )
    .fetch_all(db)
    .await
}

/// Done with it.
pub async fn update_notification_handled(db: &mut PgConnection, id: i64) -> sqlx::Result<()> {
    sqlx::query!("update notifications set handled_at = now() where id = $1", id).execute(db).await?;
    Ok(())
}

/// Not done with it: later again.
pub async fn update_notification_again(db: &mut PgConnection, id: i64, after: Duration) -> sqlx::Result<()> {
    sqlx::query!("update notifications set next_try_at = now() + $2 where id = $1", id, interval(after))
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets what was handled a month ago.
pub async fn delete_old_notifications(db: &mut PgConnection) -> sqlx::Result<u64> {
    let deleted = sqlx::query!("delete from notifications where handled_at < now() - interval '30 days'");
    Ok(deleted.execute(db).await?.rows_affected())
}
