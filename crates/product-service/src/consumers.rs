//! What this service hears.

use contracts::events::{Envelope, OrderCancelled, OrderCreated, OrderPaid, groups};
use messaging::{Consumer, Fail, Handle, HandleBatch, Outcomes};
use sqlx::PgTransaction;

use crate::{
    App,
    app::{hold_stock::hold_stock, release_hold::release_hold, sell_holds::sell_holds},
};

/// The events it follows. Those that every purchase brings come in batches.
pub fn consumer(app: &App) -> Consumer<App> {
    Consumer::new(groups::PRODUCT, app.clone(), app.db.clone(), app.outbox.clone())
        .on_batch::<OrderCreated>()
        .on_batch::<OrderPaid>()
        .on::<OrderCancelled>()
}

impl HandleBatch<OrderCreated> for App {
    async fn apply_batch(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Envelope<OrderCreated>],
    ) -> Result<Outcomes, Fail> {
        hold_stock(tx, events).await
    }
}

impl HandleBatch<OrderPaid> for App {
    async fn apply_batch(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Envelope<OrderPaid>],
    ) -> Result<Outcomes, Fail> {
        sell_holds(tx, events).await
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
        release_hold(tx, &event).await
    }
}
