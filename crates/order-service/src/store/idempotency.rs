//! Receipts that are given again to a request that carries the same Idempotency-Key.

use contracts::UserId;
use serde_json::Value;
use sqlx::{PgConnection, Result};

use crate::domain::Receipt;

/// An Idempotency-Key within its scope: two users may choose the same, as may two routes.
#[derive(Debug, Clone, Copy)]
pub struct Scoped<'a> {
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
    /// The [`Receipt`] that was sent, in JSON.
    pub receipt: String,
}

/// The reply stored under a key, compared with the present request.
pub async fn find_reply(
    db: &mut PgConnection,
    key: Scoped<'_>,
    request: &Value,
) -> Result<Option<StoredReply>> {
    Ok(list_replies(db, &[(key, request)]).await?.pop().map(|(_, reply)| reply))
}

/// The replies that are stored under some of these keys, with the places of their keys.
pub async fn list_replies(
    db: &mut PgConnection,
    keys: &[(Scoped<'_>, &Value)],
) -> Result<Vec<(usize, StoredReply)>> {
    let users: Vec<i64> = keys.iter().map(|(key, _)| key.user.get()).collect();
    let routes: Vec<&str> = keys.iter().map(|(key, _)| key.route).collect();
    let names: Vec<&str> = keys.iter().map(|(key, _)| key.key).collect();
    let requests: Vec<&Value> = keys.iter().map(|(_, request)| *request).collect();
    let rows = sqlx::query!(
        r#"select place as "place!", stored.request = sent.request as "same_request!", reply as "receipt!"
        from unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[]) with ordinality
            as sent (user_id, route, key, request, place)
        join idempotency_keys as stored using (user_id, route, key)"#,
        &users,
        &routes as &[&str],
        &names as &[&str],
        &requests as &[&Value]
    )
    .fetch_all(db)
    .await?;
    let replies = rows.into_iter().map(|row| {
        let place = usize::try_from(row.place - 1).unwrap_or_default();
        (place, StoredReply { same_request: row.same_request, receipt: row.receipt })
    });
    Ok(replies.collect())
}

/// A receipt, and the key that it is given again for.
#[derive(Debug)]
pub struct NewReply<'a> {
    pub key: Scoped<'a>,
    pub request: &'a Value,
    pub receipt: &'a Receipt,
}

/// Stores receipts under keys that were free; waits for other transactions that store some of them. False if one of
/// those was committed: then the key is not free any more, and this transaction must not be committed.
pub async fn insert_replies(db: &mut PgConnection, replies: &[NewReply<'_>]) -> Result<bool> {
    if replies.is_empty() {
        return Ok(true);
    }
    let encode = |reply: &NewReply<'_>| serde_json::to_string(reply.receipt);
    let receipts: Vec<String> = replies
        .iter()
        .map(encode)
        .collect::<serde_json::Result<_>>()
        .map_err(|error| sqlx::Error::Encode(error.into()))?;
    let users: Vec<i64> = replies.iter().map(|reply| reply.key.user.get()).collect();
    let routes: Vec<&str> = replies.iter().map(|reply| reply.key.route).collect();
    let keys: Vec<&str> = replies.iter().map(|reply| reply.key.key).collect();
    let requests: Vec<&Value> = replies.iter().map(|reply| reply.request).collect();
    let orders: Vec<i64> = replies.iter().map(|reply| reply.receipt.order_id.get()).collect();
    let inserted = sqlx::query!(
        "insert into idempotency_keys (user_id, route, key, request, order_id, reply, status)
        select *, 201
        from unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[], $5::bigint[], $6::text[])
            as stored (user_id, route, key)
        order by user_id, route, key
        on conflict do nothing",
        &users,
        &routes as &[&str],
        &keys as &[&str],
        &requests as &[&Value],
        &orders,
        &receipts
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == replies.len() as u64)
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
