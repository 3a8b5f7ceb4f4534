//! The timeline of an order. Changes write their own row; see [`super::orders`].

use contracts::{OrderId, UserId};
use sqlx::{PgConnection, Result};

use crate::domain::{HistoryEntry, Status};

/// Adds a note: something happened, and the order stays as it is.
pub async fn insert_note(
    db: &mut PgConnection,
    id: OrderId,
    cause: &str,
    detail: Option<&str>,
) -> Result<()> {
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
