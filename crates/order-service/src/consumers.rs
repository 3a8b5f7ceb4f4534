//! The events that move an order on.

use std::time::Duration;

use contracts::events::{
    DeliveryFailed, DeliveryShipped, DeliverySuccess, Envelope, Event, PaymentFailed, PaymentRefunded,
    PaymentReversed, PaymentSuccess, StockInsufficient, StockReserved, Subject, groups,
};
use messaging::{Consumer, Handle, HandlerError};
use sqlx::PgTransaction;

use crate::{
    AppState,
    app::{advance_order, await_page, check_page},
    clients::PageAnswer,
    domain::{Input, PaymentPage, Status},
    store,
};

/// Consumes them as `order-group`.
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

/// The order that an event is about: all that are consumed here are about one.
fn subject<E: Event>(event: &E) -> Result<Subject, HandlerError> {
    event.subject().ok_or_else(|| HandlerError::reject("the event is about no order"))
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
                    Envelope { event, .. }: Envelope<$event>,
                    (): (),
                ) -> Result<(), HandlerError> {
                    advance_order(tx, subject(&event)?, event.into()).await
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

    async fn prepare(
        &self,
        Envelope { event, .. }: &Envelope<StockReserved>,
    ) -> Result<Option<PaymentPage>, HandlerError> {
        let mut db = self.db.acquire().await?;
        let order = store::orders::find_payable(&mut db, event.order_id).await?;
        drop(db);
        let Some(order) = order.filter(|order| order.status == Status::Received) else { return Ok(None) };
        let lifetime = if order.has_paid { Duration::ZERO } else { self.new_buyer_expiry };
        let answer =
            self.clients.payment_page(event.order_id, order.total_amount, order.user_id, lifetime).await;
        match answer {
            Ok(PageAnswer::Open(page)) => Ok(Some(page)),
            Ok(PageAnswer::Closed) => Ok(None),
            Ok(PageAnswer::NotYet) => {
                check_page(self, event.order_id).await?;
                Err(HandlerError::retry("payment-service does not know the order yet"))
            }
            Err(status) => {
                await_page(self, event.order_id).await?;
                Err(HandlerError::retry(status))
            }
        }
    }

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        Envelope { event, .. }: Envelope<StockReserved>,
        page: Option<PaymentPage>,
    ) -> Result<(), HandlerError> {
        advance_order(tx, subject(&event)?, Input::StockReserved(page)).await
    }
}
