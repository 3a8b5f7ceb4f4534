//! Replies to requests with an Idempotency-Key.

use contracts::UserId;
use serde_json::Value;
use sqlx::PgConnection;

/// A request whose key is known, with its reply.
#[derive(Debug)]
pub struct KnownReply {
    pub request: Value,
    /// The body that was sent; `None` while the request is being handled.
    pub reply: Option<Value>,
}

/// The reply to a key, if there is one.
pub async fn find_reply(
    db: &mut PgConnection,
    user: UserId,
    route: &str,
    key: &str,
) -> sqlx::Result<Option<KnownReply>> {
    sqlx::query_as!(
        KnownReply,
        "select request, reply from idempotency_keys where user_id = $1 and route = $2 and key = $3",
        user.get(),
        route,
        key,
    )
    .fetch_optional(db)
    .await
}

/// Claims a key. Waits for a concurrent duplicate that has it; false if that one has succeeded.
pub async fn claim_key(
    db: &mut PgConnection,
    user: UserId,
    route: &str,
    key: &str,
    request: &Value,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into idempotency_keys (user_id, route, key, request) values ($1, $2, $3, $4) on conflict do nothing",
        user.get(),
        route,
        key,
        request,
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Keeps the reply to a key.
pub async fn record_reply(
    db: &mut PgConnection,
    user: UserId,
    route: &str,
    key: &str,
    reply: &Value,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update idempotency_keys set reply = $4 where user_id = $1 and route = $2 and key = $3",
        user.get(),
        route,
        key,
        reply,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes some of the keys of more than a day ago; returns how many.
pub async fn purge_keys(db: &mut PgConnection, limit: i64) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from idempotency_keys where (user_id, route, key) in (
             select user_id, route, key from idempotency_keys
             where created_at < now() - interval '24 hours' limit $1
         )",
        limit,
    );
    Ok(deleted.execute(db).await?.rows_affected())
}
