//! What is done without being asked: stuck orders are reconciled, cancellations finished, goods given back to the stock,
//! old keys purged. A worker for each kind, so that one service that is slow holds up only what waits for it.

use std::time::Duration;

use crate::{
    AppState,
    app::{
        finish_cancellation::finish_cancellations,
        reconcile_orders::{reconcile_paid, reconcile_received, reconcile_unpaid},
        return_goods::return_goods,
        skip_numbers::skip_taken_numbers,
    },
    domain::CancelStep,
    store,
};

/// How often stuck orders are looked for.
const RECONCILIATION: Duration = Duration::from_secs(5);
/// How often cancellations are looked for that were not answered.
const CANCELLATIONS: Duration = Duration::from_secs(2);
/// How often goods are looked for that go back into the stock.
const RETURNS: Duration = Duration::from_secs(1);
/// How often it is made sure that no number is given out twice, as after a restore under a running process.
const NUMBERS: Duration = Duration::from_secs(10);
/// How often old keys are deleted.
const CLEANING: Duration = Duration::from_mins(10);

/// Starts the workers.
pub fn start(state: &AppState) {
    let every = &state.lifecycle;
    every
        .every("received-orders", RECONCILIATION, state, async move |state| reconcile_received(&state).await);
    every.every("unpaid-orders", RECONCILIATION, state, async move |state| reconcile_unpaid(&state).await);
    every.every("paid-orders", RECONCILIATION, state, async move |state| reconcile_paid(&state).await);
    for (name, step) in
        [("payments-to-close", CancelStep::ClosePayment), ("deliveries-to-stop", CancelStep::StopDelivery)]
    {
        every.every(name, CANCELLATIONS, state, move |state: AppState| async move {
            finish_cancellations(&state, step).await
        });
    }
    every.every("stock-returns", RETURNS, state, async move |state| return_goods(&state).await);
    every.every("order-numbers", NUMBERS, state, async move |state| {
        skip_taken_numbers(&state).await.map(|()| 0)
    });
    every.every("idempotency-keys", CLEANING, state, async move |state| forget_old_keys(&state).await);
}

/// Deletes keys that are older than a day. Returns how many.
pub async fn forget_old_keys(state: &AppState) -> sqlx::Result<usize> {
    let mut db = state.db.acquire().await?;
    let deleted = store::idempotency::delete_old_keys(&mut db).await?;
    Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
}
