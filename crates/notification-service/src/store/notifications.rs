//! The table `notifications`, as people look at it.

use std::time::Duration;

use chassis::database::interval;
use contracts::{NotificationId, OrderId, UserId};
use sqlx::{PgConnection, Result};
use time::OffsetDateTime;

use crate::domain::{Channel, Kind, State};

/// A notification as it is listed.
#[derive(Debug)]
pub struct Row {
    pub id: NotificationId,
    pub order_id: OrderId,
    pub user_id: UserId,
    pub kind: Kind,
    pub channel: Channel,
    pub state: State,
    /// Why it was not sent.
    pub reason: Option<String>,
    pub created_at: OffsetDateTime,
    pub ended_at: Option<OffsetDateTime>,
}

/// Which notifications a list shows.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// Only this customer's.
    pub user_id: Option<UserId>,
    /// Only those in this state.
    pub state: Option<State>,
    /// Only this order's.
    pub order_id: Option<OrderId>,
}

/// How many notifications are in the states that somebody should know of.
#[derive(Debug)]
pub struct Counts {
    pub pending: i64,
    pub bounced: i64,
    pub dead: i64,
}

pub async fn find_notification(db: &mut PgConnection, id: NotificationId) -> Result<Option<Row>> {
    sqlx::query_as!(
        Row,
        r#"select id as "id: NotificationId", order_id as "order_id: OrderId", user_id as "user_id: UserId", kind as "kind: Kind",
                  channel as "channel: Channel", state as "state: State", reason, created_at, ended_at
           from notifications where id = $1"#,
        id.get(),
    )
    .fetch_optional(db)
    .await
}

/// A part of the notifications that a filter lets through, newest first.
pub async fn list_notifications(
    db: &mut PgConnection,
    filter: Filter,
    limit: i64,
    offset: i64,
) -> Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        r#"select id as "id: NotificationId", order_id as "order_id: OrderId", user_id as "user_id: UserId", kind as "kind: Kind",
                  channel as "channel: Channel", state as "state: State", reason, created_at, ended_at
           from notifications
           where ($1::bigint is null or user_id = $1) and ($2::text is null or state = $2)
               and ($3::bigint is null or order_id = $3)
           order by id desc limit $4 offset $5"#,
        filter.user_id.map(UserId::get),
        filter.state as Option<State>,
        filter.order_id.map(OrderId::get),
        limit,
        offset,
    )
    .fetch_all(db)
    .await
}

/// How many notifications a filter lets through.
pub async fn count_notifications(db: &mut PgConnection, filter: Filter) -> Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from notifications
           where ($1::bigint is null or user_id = $1) and ($2::text is null or state = $2)
               and ($3::bigint is null or order_id = $3)"#,
        filter.user_id.map(UserId::get),
        filter.state as Option<State>,
        filter.order_id.map(OrderId::get),
    )
    .fetch_one(db)
    .await
}

/// Makes one pending again that bounced or was given up; nothing if it is in another state.
pub async fn reopen_notification(db: &mut PgConnection, id: NotificationId) -> Result<Option<Row>> {
    sqlx::query_as!(
        Row,
        r#"update notifications set state = 'PENDING', reason = null, ended_at = null, due_since = now()
           where id = $1 and state in ('BOUNCED', 'DEAD')
           returning id as "id: NotificationId", order_id as "order_id: OrderId", user_id as "user_id: UserId", kind as "kind: Kind",
                     channel as "channel: Channel", state as "state: State", reason, created_at, ended_at"#,
        id.get(),
    )
    .fetch_optional(db)
    .await
}

pub async fn count_states(db: &mut PgConnection) -> Result<Counts> {
    sqlx::query_as!(
        Counts,
        r#"select count(*) filter (where state = 'PENDING') as "pending!",
                  count(*) filter (where state = 'BOUNCED') as "bounced!",
                  count(*) filter (where state = 'DEAD') as "dead!"
           from notifications where state in ('PENDING', 'BOUNCED', 'DEAD')"#,
    )
    .fetch_one(db)
    .await
}

/// Removes at most so many notifications that are older than this and wait for nobody.
pub async fn purge_notifications(db: &mut PgConnection, kept: Duration, limit: i64) -> Result<u64> {
    let purged = sqlx::query!(
        "delete from notifications where id in (
             select id from notifications
             where created_at < now() - $1::interval and state not in ('PENDING', 'DEAD') limit $2
         )",
        interval(kept),
        limit,
    )
    .execute(db)
    .await?;
    Ok(purged.rows_affected())
}
