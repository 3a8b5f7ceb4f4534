//! What is done without being asked: stuck orders are looked after, goods go back into the stock, old keys go.

use std::{future::Future, time::Duration};

use chassis::{
    Lifecycle,
    context::{Trace, scope},
    problem::chain,
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

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
    every(SWEEP, "sweep", app, lifecycle, async move |app| rescue_orders(&app).await);
    every(RETURNS, "stock-returns", app, lifecycle, async move |app| return_goods(&app).await);
    every(CLEANING, "idempotency-keys", app, lifecycle, async move |app| forget_old_keys(&app).await);
}

/// Deletes keys that are older than a day. Returns how many.
pub async fn forget_old_keys(app: &App) -> sqlx::Result<usize> {
    let mut db = app.db.acquire().await?;
    let deleted = store::idempotency::delete_old_keys(&mut db).await?;
    Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
}

/// Does a batch of work again and again until there is none, and then waits for its time to come round.
fn every<W, R>(period: Duration, name: &'static str, app: &App, lifecycle: &Lifecycle, work: W)
where
    W: Fn(App) -> R + Send + Sync + 'static,
    R: Future<Output = sqlx::Result<usize>> + Send,
{
    let (app, shutdown) = (app.clone(), lifecycle.shutdown());
    lifecycle.spawn(name, async move {
        let mut clock = interval(period);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = clock.tick() => {}
            }
            drain(name, &app, &work, &shutdown).await;
        }
    });
}

async fn drain<R>(name: &str, app: &App, work: &impl Fn(App) -> R, shutdown: &CancellationToken)
where
    R: Future<Output = sqlx::Result<usize>>,
{
    while !shutdown.is_cancelled() {
        match scope(Trace::start(), work(app.clone())).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(worker = name, error = chain(&error), "interrupted, trying again later");
                return;
            }
        }
    }
}
