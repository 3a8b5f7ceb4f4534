//! What this service hears. It has no PostgreSQL, so it runs the Redis side of messaging itself, and a script sees to it
//! that an event has its effect once.

use contracts::events::{Envelope, Event, Fields, OrderPaid, groups};
use messaging::{Endpoint, Fail, Runner, Source};

use crate::{
    App,
    store::{self, Bought},
};

/// The events it follows, and what it does about each.
pub fn consumer(app: &App) -> Runner<App> {
    Runner::new(groups::CART, app.clone())
}

impl Endpoint for App {
    fn sources(&self) -> Vec<Source> {
        vec![Source { stream: OrderPaid::STREAM.name, batch: false }]
    }

    /// Takes what was bought out of the buyer's cart. What was put in after the order stays.
    async fn handle(&self, _: &str, fields: &Fields) -> Result<(), Fail> {
        let Envelope { meta, event } = Envelope::<OrderPaid>::from_fields(fields)?;
        let bought = Bought {
            event_id: meta.event_id,
            order_id: event.order_id,
            user_id: event.user_id,
            // The cart's own clock where the order has it: the order's may be another one.
            until: event.cart_read_at.unwrap_or(event.ordered_at),
            items: &event.items,
        };
        if !store::take_bought(&self.redis, &bought).await? {
            tracing::info!(order.id = %event.order_id, "what it bought was taken out before");
        }
        Ok(())
    }
}
