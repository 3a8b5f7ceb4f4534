//! The events that move an order on.

use contracts::{
    OrderId,
    events::{
        DeliveryFailed, DeliveryShipped, DeliverySuccess, Event, PaymentFailed, PaymentRefunded,
        PaymentReversed, PaymentSuccess, StockInsufficient, StockReserved, groups,
    },
};
use messaging::{Consumer, Handle, HandlerError, Outcomes, PreparedBatch, Received};
use sqlx::PgTransaction;

use crate::{
    AppState,
    app::{Advance, advance_orders, request_pages},
    domain::{Input, PaymentPage},
};

/// Consumes them in the group `order-group`, whose replicas share the entries.
pub fn consumer(state: &AppState) -> Consumer<AppState> {
    Consumer::new(groups::ORDER, state.clone(), state.db.clone(), state.outbox.clone())
        .on::<StockReserved>()
        .on::<StockInsufficient>()
        .on::<PaymentSuccess>()
        .on::<PaymentFailed>()
        .on::<PaymentRefunded>()
        .on::<PaymentReversed>()
        .on::<DeliveryShipped>()
        .on::<DeliverySuccess>()
        .on::<DeliveryFailed>()
}

/// What an event leads to: all that are consumed here are about an order.
fn advance<E: Event>(received: &Received<E>, input: Input) -> Result<Advance, HandlerError> {
    let subject = received.event.subject();
    let subject = subject.ok_or_else(|| HandlerError::reject("the event is about no order"))?;
    Ok(Advance { subject, input, trace: received.trace.clone() })
}

/// An event that needs nothing but the table.
macro_rules! advances {
    ($($event:ty),+) => {
        $(
            impl Handle<$event> for AppState {
                type Prepared = ();

                async fn apply(
                    &self,
                    tx: &mut PgTransaction<'_>,
                    events: &[Received<$event>],
                    _: Vec<()>,
                ) -> Result<Outcomes, HandlerError> {
                    let advances = events.iter().map(|received| advance(received, received.event.clone().into()));
                    advance_orders(tx, &advances.collect::<Result<Vec<_>, _>>()?).await
                }
            }
        )+
    };
}
advances!(
    StockInsufficient,
    PaymentSuccess,
    PaymentFailed,
    PaymentRefunded,
    PaymentReversed,
    DeliveryShipped,
    DeliverySuccess,
    DeliveryFailed
);

impl Handle<StockReserved> for AppState {
    /// The page to pay on; nothing if the payment is closed, or if the order has moved on.
    type Prepared = Option<PaymentPage>;
    const PREPARES: bool = true;

    async fn prepare(&self, events: &[Received<StockReserved>]) -> PreparedBatch<Option<PaymentPage>> {
        let orders: Vec<OrderId> = events.iter().map(|received| received.event.order_id).collect();
        let pages = request_pages(self, &orders).await?;
        let page = |id| pages.get(id).cloned().unwrap_or(Ok(None)).map_err(HandlerError::retry);
        Ok(orders.iter().map(page).collect())
    }

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Received<StockReserved>],
        pages: Vec<Option<PaymentPage>>,
    ) -> Result<Outcomes, HandlerError> {
        let advances = events.iter().zip(pages);
        let advances = advances.map(|(received, page)| advance(received, Input::StockReserved(page)));
        advance_orders(tx, &advances.collect::<Result<Vec<_>, _>>()?).await
    }
}
