//! The timeline of an order. Changes write their own row; see [`super::moves`].

use contracts::{OrderId, UserId};
use sqlx::{PgConnection, Result};

use crate::domain::{HistoryEntry, Status};

/// Something that happened to an order, which stays as it is.
#[derive(Debug)]
pub struct Note {
    pub id: OrderId,
    pub status: Status,
    pub cause: &'static str,
    pub detail: Option<String>,
}

/// Adds notes about orders that are locked.
pub async fn insert_notes(db: &mut PgConnection, notes: &[Note]) -> Result<()> {
    if notes.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = notes.iter().map(|note| note.id.get()).collect();
    let statuses: Vec<&str> = notes.iter().map(|note| note.status.as_str()).collect();
    let causes: Vec<&str> = notes.iter().map(|note| note.cause).collect();
    let details: Vec<Option<&str>> = notes.iter().map(|note| note.detail.as_deref()).collect();
    sqlx::query!(
        "insert into order_history (order_id, from_status, to_status, cause, detail)
        select id, status, status, cause, detail
        from unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) as note (id, status, cause, detail)",
        &ids,
        &statuses as &[&str],
        &causes as &[&str],
        &details as &[Option<&str>]
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Adds a note about an order that need not be locked.
pub async fn annotate(db: &mut PgConnection, id: OrderId, cause: &str, detail: Option<&str>) -> Result<()> {
    sqlx::query!(
        "insert into order_history (order_id, from_status, to_status, cause, detail)
        select id, status, status, $2, $3 from orders where id = $1",
        id.get(),
        cause,
        detail
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The timeline of an order that is within the scope, oldest first; empty if there is no such order.
pub async fn list_history(
    db: &mut PgConnection,
    id: OrderId,
    scope: Option<UserId>,
) -> Result<Vec<HistoryEntry>> {
    sqlx::query_as!(
        HistoryEntry,
        r#"select
            entry.at,
            entry.from_status as "from: Status",
            entry.to_status as "to: Status",
            entry.cause,
            entry.detail
        from order_history as entry
        join orders on orders.id = entry.order_id
        where entry.order_id = $1 and ($2::bigint is null or orders.user_id = $2)
        order by entry.id"#,
        id.get(),
        scope.map(UserId::get)
    )
    .fetch_all(db)
    .await
}
