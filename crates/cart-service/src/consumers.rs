//! The events that this service consumes. It has no PostgreSQL, so it runs the Redis side of messaging itself, and a
//! script makes sure that an event has its effect once.

use contracts::events::{Envelope, Event, Fields, OrderPaid, groups};
use messaging::{HandlerError, Runner, StreamHandler, Subscription};

use crate::{
    AppState,
    store::{self, Bought},
};

pub fn consumer(state: &AppState) -> Runner<AppState> {
    Runner::new(groups::CART, state.clone())
}

impl StreamHandler for AppState {
    fn subscriptions(&self) -> Vec<Subscription> {
        vec![Subscription { stream: OrderPaid::STREAM.name, batch: false }]
    }

    /// Takes what was bought out of the buyer's cart. What was put in after the order stays.
    async fn handle(&self, _: &str, fields: &Fields) -> Result<(), HandlerError> {
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
            tracing::info!(order.id = %event.order_id, "order's items were taken out of the cart before");
        }
        Ok(())
    }
}
