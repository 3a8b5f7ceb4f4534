//! Notifications of Midtrans, one row for each signed content, and when each was last handled.

use std::collections::BTreeMap;

use sqlx::PgConnection;

/// A notification whose signature was right.
#[derive(Debug)]
pub struct Notification {
    /// The attempt it is about: signed.
    pub midtrans_order_id: String,
    /// The transactions that were named: not signed, so only a hint.
    pub transaction_ids: Vec<String>,
    /// What it says became of the last of them: not signed either.
    pub transaction_status: String,
}

/// The content of a notification that is kept.
#[derive(Debug)]
pub struct NewNotification {
    /// Midtrans' `order_id`, a part of what is signed.
    pub midtrans_order_id: String,
    /// Midtrans' `status_code`, a part of what is signed.
    pub status_code: String,
    /// Midtrans' `gross_amount`, a part of what is signed.
    pub gross_amount: String,
    pub transaction_id: String,
    pub transaction_status: String,
}

#[derive(Debug)]
pub struct Kept {
    /// The id of its row, which is the key of the job that handles it.
    pub id: i64,
    /// How many seconds it is too soon to handle it.
    pub delay: f64,
}

/// Keeps notifications, one row for each signed content. One that comes again is handled again, but not within five
/// seconds after it was handled: Midtrans' status may not have been up to date the first time.
///
/// # Errors
/// Also if two of them have the same signed content.
pub async fn insert_notifications(db: &mut PgConnection, new: &[NewNotification]) -> sqlx::Result<Vec<Kept>> {
    let ids: Vec<&str> = new.iter().map(|new| new.midtrans_order_id.as_str()).collect();
    let codes: Vec<&str> = new.iter().map(|new| new.status_code.as_str()).collect();
    let amounts: Vec<&str> = new.iter().map(|new| new.gross_amount.as_str()).collect();
    let transactions: Vec<&str> = new.iter().map(|new| new.transaction_id.as_str()).collect();
    let statuses: Vec<&str> = new.iter().map(|new| new.transaction_status.as_str()).collect();
    sqlx::query_as!(
        Kept,
        r#"insert into notifications
             (midtrans_order_id, status_code, gross_amount, transaction_ids, transaction_status)
         select midtrans_order_id, status_code, gross_amount, array[transaction_id], status
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
             as new (midtrans_order_id, status_code, gross_amount, transaction_id, status)
         order by midtrans_order_id, status_code, gross_amount
         on conflict on constraint notifications_once do update
         set transaction_ids = case
                 when excluded.transaction_ids[1] = any (notifications.transaction_ids) then notifications.transaction_ids
                 else notifications.transaction_ids[1:7] || excluded.transaction_ids
             end,
             transaction_status = excluded.transaction_status,
             received = notifications.received + 1
         returning id,
             greatest(0, extract(epoch from handled_at + interval '5 seconds' - now())::float8) as "delay!""#,
        &ids as &[&str],
        &codes as &[&str],
        &amounts as &[&str],
        &transactions as &[&str],
        &statuses as &[&str],
    )
    .fetch_all(db)
    .await
}

/// Notifications by the ids of their rows, those that were removed left out.
pub async fn list_notifications(
    db: &mut PgConnection,
    ids: &[i64],
) -> sqlx::Result<BTreeMap<i64, Notification>> {
    let rows = sqlx::query!(
        "select id, midtrans_order_id, transaction_ids, transaction_status from notifications where id = any($1)",
        ids,
    )
    .fetch_all(db)
    .await?;
    let notifications = rows.into_iter().map(|row| {
        let (midtrans_order_id, transaction_ids) = (row.midtrans_order_id, row.transaction_ids);
        let transaction_status = row.transaction_status;
        (row.id, Notification { midtrans_order_id, transaction_ids, transaction_status })
    });
    Ok(notifications.collect())
}

/// Records when notifications were last handled.
pub async fn mark_notifications_handled(db: &mut PgConnection, ids: &[i64]) -> sqlx::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!("update notifications set handled_at = now() where id = any($1)", ids).execute(db).await?;
    Ok(())
}

/// Removes some of what was handled a month ago and has not come again; returns how many rows.
pub async fn purge_notifications(db: &mut PgConnection, limit: i64) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from notifications where id = any (array(
             select id from notifications where handled_at < now() - interval '30 days' and not exists (
                 select from jobs.queue where kind = 'notification' and key = notifications.id::text
             ) limit $1
         ))",
        limit,
    );
    Ok(deleted.execute(db).await?.rows_affected())
}
