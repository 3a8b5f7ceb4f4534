//! The events that this service consumes. It has no PostgreSQL, so it runs the Redis side of messaging itself, and a
//! script makes sure that an event has its effect once.

use contracts::events::{Envelope, Event, OrderPaid, groups};
use futures::future::join_all;
use messaging::{HandlerError, Incoming, Outcomes, Runner, StreamHandler};

use crate::{
    AppState,
    store::{self, Bought},
};

pub fn consumer(state: &AppState) -> Runner<AppState> {
    Runner::new(groups::CART, state.clone())
}

impl StreamHandler for AppState {
    fn streams(&self) -> Vec<&'static str> {
        vec![OrderPaid::STREAM.name]
    }

    /// Takes what was bought out of the buyers' carts, side by side: one connection carries all of it at once.
    async fn handle(&self, _: &str, batch: &[Incoming<'_>]) -> Result<Outcomes, HandlerError> {
        Ok(join_all(batch.iter().map(|incoming| take(self, incoming))).await)
    }
}

/// Takes what an order bought out of its buyer's cart. What was put in after the order stays.
async fn take(state: &AppState, incoming: &Incoming<'_>) -> Result<(), HandlerError> {
    let Envelope { meta, event } = Envelope::<OrderPaid>::from_fields(incoming.fields)?;
    let bought = Bought {
        event_id: meta.event_id,
        order_id: event.order_id,
        user_id: event.user_id,
        // The cart's own clock where the order has it: the order's may be another one.
        until: event.cart_read_at.unwrap_or(event.ordered_at),
        items: &event.items,
    };
    if !store::take_bought(&state.redis, &bought).await? {
        let correlation_id = &incoming.trace.correlation_id;
        tracing::info!(order.id = %event.order_id, correlation_id, "order's items were taken out of the cart before");
    }
    Ok(())
}
