//! The events that this service consumes.

use contracts::events::{DeliveryFailed, OrderCancelled, OrderCreated, groups};
use messaging::{Consumer, Envelope, Handle, HandleBatch, HandlerError, Outcomes};
use sqlx::PgTransaction;

use crate::{
    AppState,
    app::{end_order, open_payments, refund_undelivered},
};

/// The consumer of this service, with a handler for each event.
pub fn consumer(state: &AppState) -> Consumer<AppState> {
    Consumer::new(groups::PAYMENT, state.clone(), state.db.clone(), state.outbox.clone())
        .on_batch::<OrderCreated>()
        .on::<OrderCancelled>()
        .on::<DeliveryFailed>()
}

impl HandleBatch<OrderCreated> for AppState {
    async fn apply_batch(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Envelope<OrderCreated>],
    ) -> Result<Outcomes, HandlerError> {
        open_payments(tx, events).await
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
        end_order(tx, &event).await
    }
}

impl Handle<DeliveryFailed> for AppState {
    type Prepared = ();

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        Envelope { event, .. }: Envelope<DeliveryFailed>,
        (): (),
    ) -> Result<(), HandlerError> {
        refund_undelivered(tx, &event).await
    }
}
