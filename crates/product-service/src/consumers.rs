//! The events that this service consumes.

use contracts::events::{OrderCancelled, OrderCreated, OrderPaid, groups};
use messaging::{Consumer, Handle, HandlerError, Outcomes, Received};
use sqlx::PgTransaction;

use crate::{
    AppState,
    app::{hold_stock, release_holds, sell_holds},
};

pub fn consumer(state: &AppState) -> Consumer<AppState> {
    Consumer::new(groups::PRODUCT, state.clone(), state.db.clone(), state.outbox.clone())
        .on::<OrderCreated>()
        .on::<OrderPaid>()
        .on::<OrderCancelled>()
}

impl Handle<OrderCreated> for AppState {
    type Prepared = ();

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Received<OrderCreated>],
        _: Vec<()>,
    ) -> Result<Outcomes, HandlerError> {
        hold_stock(tx, events).await
    }

    fn committed(&self, events: &[Received<OrderCreated>]) {
        self.catalogue
            .stock_changed(events.iter().flat_map(|event| &event.event.items).map(|item| item.product_id));
    }
}

impl Handle<OrderPaid> for AppState {
    type Prepared = ();

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Received<OrderPaid>],
        _: Vec<()>,
    ) -> Result<Outcomes, HandlerError> {
        sell_holds(tx, events).await
    }
}

impl Handle<OrderCancelled> for AppState {
    type Prepared = ();

    async fn apply(
        &self,
        tx: &mut PgTransaction<'_>,
        events: &[Received<OrderCancelled>],
        _: Vec<()>,
    ) -> Result<Outcomes, HandlerError> {
        release_holds(tx, events).await
    }

    fn committed(&self, events: &[Received<OrderCancelled>]) {
        self.catalogue
            .stock_changed(events.iter().flat_map(|event| &event.event.items).map(|item| item.product_id));
    }
}
