//! What this service hears.

use contracts::events::{Envelope, OrderPaid, groups};
use messaging::{Consumer, Fail, Handle};
use sqlx::PgTransaction;

use crate::{App, store};

/// The events it follows, and what it does about each.
pub fn consumer(app: &App) -> Consumer<App> {
    Consumer::new(groups::DELIVERY, app.clone(), app.db.clone(), app.outbox.clone()).on::<OrderPaid>()
}

impl Handle<OrderPaid> for App {
    type Prepared = ();

    /// Starts the order's delivery: one for each order, and none for an order whose delivery was cancelled before.
    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        Envelope { event, .. }: Envelope<OrderPaid>,
        (): (),
    ) -> Result<(), Fail> {
        let address = event.shipping_address.as_ref();
        if !store::insert_delivery(tx, event.order_id, event.user_id, address).await? {
            tracing::info!(order.id = %event.order_id, "the delivery was started, or cancelled, before");
        }
        Ok(())
    }
}
