//! Receipts that are given again to a request that carries the same Idempotency-Key.

use contracts::UserId;
use serde_json::Value;
use sqlx::{PgConnection, Result};

use crate::domain::Receipt;

/// A key within its scope.
#[derive(Debug, Clone, Copy)]
pub struct Scoped<'a> {
    /// Who sent it.
    pub user: UserId,
    /// To which route; paths of the same use case are one.
    pub route: &'a str,
    pub key: &'a str,
}

/// The reply to an earlier request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReply {
    /// Whether that was the same request.
    pub same_request: bool,
    /// A [`Receipt`] in JSON.
    pub receipt: String,
}

/// The reply stored under a key, compared with the present request.
pub async fn find_reply(
    db: &mut PgConnection,
    key: Scoped<'_>,
    request: &Value,
) -> Result<Option<StoredReply>> {
    sqlx::query_as!(
        StoredReply,
        r#"select request = $4 as "same_request!", reply as "receipt!"
        from idempotency_keys where user_id = $1 and route = $2 and key = $3"#,
        key.user.get(),
        key.route,
        key.key,
        request
    )
    .fetch_optional(db)
    .await
}

/// Claims a key for this transaction; waits for another that has claimed it. If that one was committed, its reply is
/// returned, and nothing is claimed.
pub async fn claim_key(
    db: &mut PgConnection,
    key: Scoped<'_>,
    request: &Value,
) -> Result<Option<StoredReply>> {
    loop {
        if insert_key(db, key, request).await? {
            return Ok(None);
        }
        // Without a reply the key was purged in between, and is free again.
        if let Some(reply) = find_reply(db, key, request).await? {
            return Ok(Some(reply));
        }
    }
}

async fn insert_key(db: &mut PgConnection, key: Scoped<'_>, request: &Value) -> Result<bool> {
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

/// Stores the receipt under the key that this transaction claimed.
pub async fn store_receipt(db: &mut PgConnection, key: Scoped<'_>, receipt: &Receipt) -> Result<()> {
    let reply = serde_json::to_string(receipt).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query!(
        "update idempotency_keys set status = 201, order_id = $4, reply = $5
        where user_id = $1 and route = $2 and key = $3",
        key.user.get(),
        key.route,
        key.key,
        receipt.order_id.get(),
        reply
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
