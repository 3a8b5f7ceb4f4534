//! Lists notifications.

use chassis::http::Page;

use crate::{
    AppState,
    store::{self, Filter, Row},
};

/// A page of notifications, and how many there are.
#[derive(Debug)]
pub struct Notifications {
    pub page: Vec<Row>,
    pub total: i64,
}

/// The notifications that a filter lets through, newest first. They are counted only where the page does not show how many
/// there are.
///
/// # Errors
/// If the database fails.
pub async fn list_notifications(state: &AppState, filter: Filter, page: Page) -> sqlx::Result<Notifications> {
    let mut db = state.db.acquire().await?;
    let found = store::list_notifications(&mut db, filter, page.limit, page.offset()).await?;
    let total = match i64::try_from(found.len()).unwrap_or(i64::MAX) {
        some if (1..page.limit).contains(&some) => page.offset() + some,
        0 if page.page == 1 => 0,
        _ => store::count_notifications(&mut db, filter).await?,
    };
    Ok(Notifications { page: found, total })
}
