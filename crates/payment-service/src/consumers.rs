//! The events that this service follows.

use contracts::events::{DeliveryFailed, OrderCancelled, OrderCreated, groups};
use messaging::Consumer;

use crate::App;

/// The routing table; each handler is in the use case of its event.
pub fn consumer(app: &App) -> Consumer<App> {
    Consumer::new(groups::PAYMENT, app.clone(), app.db.clone(), app.outbox.clone())
        .on_batch::<OrderCreated>()
        .on::<OrderCancelled>()
        .on::<DeliveryFailed>()
}
