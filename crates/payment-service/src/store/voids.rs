//! What has to be closed at Midtrans.

use std::time::Duration;

use sqlx::PgConnection;

use super::interval;

/// An attempt to close.
#[derive(Debug)]
pub struct Void {
    /// Which.
    pub midtrans_order_id: String,
    /// How often it was tried.
    pub tries: i32,
}

/// Writes an attempt down to be closed; one that was closed before is looked at once more.
pub async fn insert_void(db: &mut PgConnection, midtrans_order_id: &str, reason: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into voids (midtrans_order_id, reason) values ($1, $2)
         on conflict (midtrans_order_id) do update set next_try_at = now(), tries = 0, done_at = null
         where voids.done_at is not null",
        midtrans_order_id,
        reason,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes attempts to close.
pub async fn claim_voids(db: &mut PgConnection, limit: i64, lease: Duration) -> sqlx::Result<Vec<Void>> {
    sqlx::query_as!(
        Void,
        "update voids set next_try_at = now() + $2, tries = tries + 1
         where midtrans_order_id = any (array(
             select midtrans_order_id from voids where next_try_at <= now()
             order by next_try_at limit $1 for update skip locked
         ))
         returning midtrans_order_id, tries",
        limit,
        interval(lease),
    )
    .fetch_all(db)
    .await
}

/// Closed, or found to be beyond closing.
pub async fn update_void_done(db: &mut PgConnection, midtrans_order_id: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update voids set next_try_at = null, done_at = now() where midtrans_order_id = $1",
        midtrans_order_id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Later again.
pub async fn update_void_again(
    db: &mut PgConnection,
    midtrans_order_id: &str,
    after: Duration,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update voids set next_try_at = now() + $2 where midtrans_order_id = $1",
        midtrans_order_id,
        interval(after),
    )
    .execute(db)
    .await?;
    Ok(())
}
