//! A page of deliveries, and how many there are in all.

use chassis::http::Page;

use crate::{
    AppState,
    domain::Delivery,
    store::{self, Filter},
};

#[derive(Debug)]
pub struct Deliveries {
    pub page: Vec<Delivery>,
    /// How many deliveries there are on all pages.
    pub total: i64,
}

/// Lists a page. The database counts only if the page itself does not show how many there are.
///
/// # Errors
/// If the database fails.
pub async fn list_deliveries(state: &AppState, filter: Filter, page: Page) -> sqlx::Result<Deliveries> {
    let mut db = state.db.acquire().await?;
    let found = store::list_deliveries(&mut db, filter, page.limit, page.offset()).await?;
    let total = match i64::try_from(found.len()).unwrap_or(i64::MAX) {
        some if (1..page.limit).contains(&some) => page.offset() + some,
        0 if page.page == 1 => 0,
        _ => store::count_deliveries(&mut db, filter).await?,
    };
    Ok(Deliveries { page: found, total })
}
