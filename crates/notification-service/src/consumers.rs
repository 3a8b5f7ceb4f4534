//! The events that this service consumes. Those about orders become a row for each channel and a job to send it; a request
//! for an e-mail about an account is nothing but a job.

use contracts::events::{
    AccountMailRequested, DeliveryFailed, DeliveryShipped, DeliverySuccess, OrderCancelled, OrderCreated,
    OrderPaid, PaymentRefunded, StockReserved, groups,
};
use jobs::{Job, Queue};
use messaging::{Consumer, Handle, HandlerError, Outcomes, Received};
use sqlx::PgTransaction;

use crate::{
    AppState,
    app::{SendAccountMail, SendNotification},
    domain::{NewNotification, Notifies},
    store,
};

pub fn consumer(state: &AppState) -> Consumer<AppState> {
    Consumer::new(groups::NOTIFICATION, state.clone(), state.db.clone(), state.outbox.clone())
        .on::<OrderCreated>()
        .on::<StockReserved>()
        .on::<OrderPaid>()
        .on::<OrderCancelled>()
        .on::<DeliveryShipped>()
        .on::<DeliverySuccess>()
        .on::<DeliveryFailed>()
        .on::<PaymentRefunded>()
        .on::<AccountMailRequested>()
}

impl<E: Notifies> Handle<E> for AppState {
    type Prepared = ();

    /// Writes the notifications and enqueues their jobs. What an order was notified of before adds nothing, even if the event
    /// was published again under another id.
    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Received<E>],
        _: Vec<()>,
    ) -> Result<Outcomes, HandlerError> {
        let new: Vec<NewNotification> = events.iter().filter_map(notification).collect();
        let ids = store::insert_notifications(tx, &new, &self.channels()).await?;
        Queue::enqueue(tx, ids.iter().map(|id| SendNotification::of(id).now())).await?;
        Ok(events.iter().map(|_| Ok(())).collect())
    }

    fn committed(&self, _: &[Received<E>]) {
        self.jobs.wake();
    }
}

impl Handle<AccountMailRequested> for AppState {
    type Prepared = ();

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        requests: &[Received<AccountMailRequested>],
        _: Vec<()>,
    ) -> Result<Outcomes, HandlerError> {
        Queue::enqueue(tx, requests.iter().map(|one| SendAccountMail::of(&one.event.mail_id).now())).await?;
        Ok(requests.iter().map(|_| Ok(())).collect())
    }

    fn committed(&self, _: &[Received<AccountMailRequested>]) {
        self.jobs.wake();
    }
}

fn notification<E: Notifies>(Received { event_id, event, .. }: &Received<E>) -> Option<NewNotification> {
    Some(NewNotification { event_id: *event_id, what: event.what()? })
}
