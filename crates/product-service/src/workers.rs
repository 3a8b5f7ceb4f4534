//! What this service watches: orders that stay open for too long. Nothing is released here, since only the end of an
//! order says that its units were not paid for.

use std::time::Duration;

use chassis::Kit;

use crate::{App, store};

/// How often the open orders are counted.
const PERIOD: Duration = Duration::from_mins(1);
/// Orders that have been open for more than a day.
const METRIC: &str = "product_holds_older_than_a_day";

/// Starts to watch.
pub fn start(app: &App, kit: &Kit) {
    let (app, shutdown) = (app.clone(), kit.lifecycle.shutdown());
    kit.lifecycle.spawn("hold-age", async move {
        while !shutdown.is_cancelled() {
            watch(&app).await;
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                () = shutdown.cancelled() => {}
            }
        }
    });
}

async fn watch(app: &App) {
    match count(app).await {
        Ok(old) => {
            #[allow(
                clippy::cast_precision_loss,
                reason = "a gauge is a float, and so many orders do not exist"
            )]
            metrics::gauge!(METRIC).set(old as f64);
            if old > 0 {
                tracing::warn!(holds = old, "orders have been open for more than a day");
            }
        }
        Err(error) => tracing::debug!(%error, "the open orders could not be counted"),
    }
}

async fn count(app: &App) -> sqlx::Result<i64> {
    let mut db = app.db.acquire().await?;
    store::count_old_holds(&mut db).await
}
