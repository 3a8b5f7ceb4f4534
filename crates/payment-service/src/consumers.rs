//! What this service hears.

use contracts::events::{DeliveryFailed, OrderCancelled, OrderCreated, groups};
use messaging::{Consumer, Envelope, Fail, Handle, HandleBatch, Outcomes};
use sqlx::PgTransaction;

use crate::{
    App,
    app::{end_order::end_order, open_payments::open_payments, refund_undelivered::refund_undelivered},
};

/// The events it follows, and what it does about each.
pub fn consumer(app: &App) -> Consumer<App> {
    Consumer::new(groups::PAYMENT, app.clone(), app.db.clone(), app.outbox.clone())
        .on_batch::<OrderCreated>()
        .on::<OrderCancelled>()
        .on::<DeliveryFailed>()
}

impl HandleBatch<OrderCreated> for App {
    async fn apply_batch(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Envelope<OrderCreated>],
    ) -> Result<Outcomes, Fail> {
        open_payments(tx, events).await
    }
}

impl Handle<OrderCancelled> for App {
    type Prepared = ();

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        Envelope { event, .. }: Envelope<OrderCancelled>,
        (): (),
    ) -> Result<(), Fail> {
        end_order(tx, &event).await
    }
}

impl Handle<DeliveryFailed> for App {
    type Prepared = ();

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        Envelope { event, .. }: Envelope<DeliveryFailed>,
        (): (),
    ) -> Result<(), Fail> {
        refund_undelivered(tx, &event).await
    }
}
