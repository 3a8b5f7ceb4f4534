//! What this service watches: orders that stay open for too long. Nothing is released here, since only the end of an
//! order says that its units were not paid for.

use std::time::Duration;

use chassis::Lifecycle;

use crate::{AppState, store};

/// How often the open orders are counted.
const PERIOD: Duration = Duration::from_mins(1);
/// Orders that have been open for more than a day.
const METRIC: &str = "product_holds_older_than_a_day";

/// Starts to watch.
pub fn start(state: &AppState, lifecycle: &Lifecycle) {
    lifecycle.every("hold-age", PERIOD, state, async move |state| watch(&state).await.map(|()| 0));
}

async fn watch(state: &AppState) -> sqlx::Result<()> {
    let old = store::count_old_holds(&mut *state.db.acquire().await?).await?;
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float, and so many orders do not exist")]
    metrics::gauge!(METRIC).set(old as f64);
    if old > 0 {
        tracing::warn!(holds = old, "orders have been open for more than a day");
    }
    Ok(())
}
