//! The events that this service consumes.

use contracts::events::{Envelope, OrderCancelled, OrderCreated, OrderPaid, groups};
use messaging::{Consumer, Handle, HandleBatch, HandlerError, Outcomes};
use sqlx::PgTransaction;

use crate::{
    AppState,
    app::{hold_stock, release_hold, sell_holds},
};

/// Events that every purchase brings come in batches.
pub fn consumer(state: &AppState) -> Consumer<AppState> {
    Consumer::new(groups::PRODUCT, state.clone(), state.db.clone(), state.outbox.clone())
        .on_batch::<OrderCreated>()
        .on_batch::<OrderPaid>()
        .on::<OrderCancelled>()
}

impl HandleBatch<OrderCreated> for AppState {
    async fn apply_batch(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Envelope<OrderCreated>],
    ) -> Result<Outcomes, HandlerError> {
        hold_stock(tx, events).await
    }
}

impl HandleBatch<OrderPaid> for AppState {
    async fn apply_batch(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Envelope<OrderPaid>],
    ) -> Result<Outcomes, HandlerError> {
        sell_holds(tx, events).await
    }
}

impl Handle<OrderCancelled> for AppState {
    type Prepared = ();

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        Envelope { event, .. }: Envelope<OrderCancelled>,
        (): (),
    ) -> Result<(), HandlerError> {
        release_hold(tx, &event).await
    }
}
