//! Counts the holds that stay open for too long. Nothing is released here: only the end of an order proves that its units
//! were not paid for.

use std::time::Duration;

use chassis::Lifecycle;

use crate::{AppState, store};

const PERIOD: Duration = Duration::from_mins(1);
const METRIC: &str = "product_holds_older_than_a_day";

pub fn start(state: &AppState, lifecycle: &Lifecycle) {
    lifecycle.every("hold-age", PERIOD, state, async move |state| count_old_holds(&state).await.map(|()| 0));
}

async fn count_old_holds(state: &AppState) -> sqlx::Result<()> {
    let old = store::count_old_holds(&mut *state.db.acquire().await?).await?;
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float, and so many orders do not exist")]
    metrics::gauge!(METRIC).set(old as f64);
    if old > 0 {
        tracing::warn!(holds = old, "holds have been open for more than a day");
    }
    Ok(())
}
