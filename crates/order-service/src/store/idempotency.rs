//! Replies that are given again to a request that carries the same Idempotency-Key.

use contracts::{OrderId, UserId};
use serde_json::Value;
use sqlx::{PgConnection, Result};

/// A key within its scope.
#[derive(Debug, Clone, Copy)]
pub struct Scoped<'a> {
    /// Who sent it.
    pub user: UserId,
    /// To which route; twin paths are one.
    pub route: &'a str,
    /// The key.
    pub key: &'a str,
}

/// The reply that was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReply {
    /// Whether it was given to the same request.
    pub same_request: bool,
    /// The order it tells of.
    pub order_id: OrderId,
    /// Its body.
    pub body: String,
}

/// The reply stored under a key, compared with the present request.
pub async fn find_reply(
    db: &mut PgConnection,
    key: Scoped<'_>,
    request: &Value,
) -> Result<Option<StoredReply>> {
    sqlx::query_as!(
        StoredReply,
        r#"select request = $4 as "same_request!", order_id as "order_id!: OrderId", reply as "body!"
        from idempotency_keys where user_id = $1 and route = $2 and key = $3"#,
        key.user.get(),
        key.route,
        key.key,
        request
    )
    .fetch_optional(db)
    .await
}

/// Claims a key for this transaction; waits for another that has claimed it. False if that one was committed.
pub async fn insert_key(db: &mut PgConnection, key: Scoped<'_>, request: &Value) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into idempotency_keys (user_id, route, key, request) values ($1, $2, $3, $4) on conflict do nothing",
        key.user.get(),
        key.route,
        key.key,
        request
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Stores the reply under the key that this transaction claimed.
pub async fn update_reply(
    db: &mut PgConnection,
    key: Scoped<'_>,
    status: i16,
    order: OrderId,
    body: &str,
) -> Result<()> {
    sqlx::query!(
        "update idempotency_keys set status = $4, order_id = $5, reply = $6
        where user_id = $1 and route = $2 and key = $3",
        key.user.get(),
        key.route,
        key.key,
        status,
        order.get(),
        body
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes keys of more than a day ago, at most as many as a short transaction can. Returns how many.
pub async fn purge_old_keys(db: &mut PgConnection) -> Result<u64> {
    let deleted = sqlx::query!(
        "delete from idempotency_keys where (user_id, route, key) in (
            select user_id, route, key from idempotency_keys
            where created_at < now() - interval '24 hours'
            order by created_at limit 1000
        )"
    )
    .execute(db)
    .await?;
    Ok(deleted.rows_affected())
}
