//! The events that this service consumes.

use contracts::events::{DeliveryFailed, OrderCancelled, OrderCreated, groups};
use messaging::{Consumer, Handle, HandlerError, Outcomes, Received};
use sqlx::PgTransaction;

use crate::{
    AppState,
    app::{end_orders, open_payments, refund_undelivered},
};

/// The consumer of this service, with a handler for each event.
pub fn consumer(state: &AppState) -> Consumer<AppState> {
    Consumer::new(groups::PAYMENT, state.clone(), state.db.clone(), state.outbox.clone())
        .on::<OrderCreated>()
        .on::<OrderCancelled>()
        .on::<DeliveryFailed>()
}

impl Handle<OrderCreated> for AppState {
    type Prepared = ();

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Received<OrderCreated>],
        _: Vec<()>,
    ) -> Result<Outcomes, HandlerError> {
        open_payments(tx, events).await
    }
}

impl Handle<OrderCancelled> for AppState {
    type Prepared = ();

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Received<OrderCancelled>],
        _: Vec<()>,
    ) -> Result<Outcomes, HandlerError> {
        end_orders(tx, events).await
    }

    fn committed(&self, _: &[Received<OrderCancelled>]) {
        self.jobs.wake();
    }
}

impl Handle<DeliveryFailed> for AppState {
    type Prepared = ();

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Received<DeliveryFailed>],
        _: Vec<()>,
    ) -> Result<Outcomes, HandlerError> {
        refund_undelivered(tx, events).await
    }

    fn committed(&self, _: &[Received<DeliveryFailed>]) {
        self.jobs.wake();
    }
}
