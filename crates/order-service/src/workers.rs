//! What is done without being asked: stuck orders are looked after, goods go back into the stock, old keys go.

use std::time::Duration;

use chassis::Lifecycle;

use crate::{
    App,
    app::{rescue_order::rescue_orders, return_goods::return_goods},
    store,
};

/// How often stuck orders are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// How often goods are looked for that go back into the stock.
const RETURNS: Duration = Duration::from_secs(1);
/// How often old keys are deleted.
const CLEANING: Duration = Duration::from_mins(10);

/// Starts the workers.
pub fn start(app: &App, lifecycle: &Lifecycle) {
    lifecycle.every("sweep", SWEEP, app, async move |app| rescue_orders(&app).await);
    lifecycle.every("stock-returns", RETURNS, app, async move |app| return_goods(&app).await);
    lifecycle.every("idempotency-keys", CLEANING, app, async move |app| forget_old_keys(&app).await);
}

/// Deletes keys that are older than a day. Returns how many.
pub async fn forget_old_keys(app: &App) -> sqlx::Result<usize> {
    let mut db = app.db.acquire().await?;
    let deleted = store::idempotency::delete_old_keys(&mut db).await?;
    Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
}
