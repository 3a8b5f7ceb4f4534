//! The events that this service consumes.

use contracts::events::{Envelope, OrderPaid, groups};
use messaging::{Consumer, Handle, HandlerError};
use sqlx::PgTransaction;

use crate::{
    AppState,
    store::{self, NewDelivery},
};

pub fn consumer(state: &AppState) -> Consumer<AppState> {
    Consumer::new(groups::DELIVERY, state.clone(), state.db.clone(), state.outbox.clone()).on::<OrderPaid>()
}

impl Handle<OrderPaid> for AppState {
    type Prepared = ();

    /// Starts the order's delivery: one for each order, and none for an order whose delivery was cancelled before. One that
    /// was started for another order of the same number is not this order's.
    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        Envelope { event, .. }: Envelope<OrderPaid>,
        (): (),
    ) -> Result<(), HandlerError> {
        let OrderPaid { order_id, user_id, ordered_at, .. } = event;
        let shipping_address = event.shipping_address.as_ref();
        if store::insert_delivery(tx, &NewDelivery { order_id, user_id, ordered_at, shipping_address })
            .await?
        {
            return Ok(());
        }
        let found = store::find_by_order(tx, order_id).await?;
        if found.is_some_and(|known| {
            !known.is_of(Some(user_id)) || known.ordered_at.is_some_and(|at| at != ordered_at)
        }) {
            return Err(HandlerError::reject(format!(
                "order {order_id} is known with another buyer or time"
            )));
        }
        tracing::info!(order.id = %order_id, "delivery was started, or cancelled, before");
        Ok(())
    }
}
