//! An administrator sets the status of a delivery.

use contracts::{
    DeliveryId,
    events::{DeliveryFailed, DeliveryShipped, DeliverySuccess},
};
use messaging::outbox;
use sqlx::{PgConnection, PgTransaction};

use crate::{
    AppState,
    domain::{Delivery, Effect, IllegalChange, Input, Status, Transition},
    store::{self, Move},
};

#[derive(Debug)]
pub struct Advance {
    pub to: Status,
    /// The carrier's number; `None` keeps the known one.
    pub tracking_number: Option<String>,
    /// Free text for the row of the history.
    pub note: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum AdvanceDeliveryError {
    #[error("there is no such delivery")]
    Unknown,
    #[error(transparent)]
    Illegal(#[from] IllegalChange),
    /// The money of the order is not there any more, as after a chargeback.
    #[error("the order is not paid")]
    NotPaid,
    #[error("payment-service did not say whether the money is there")]
    Payments(#[source] tonic::Status),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Advance {
    /// Whether there is a number or a note that the delivery and the last row of its history do not have.
    fn adds_to(&self, delivery: &Delivery) -> bool {
        let new_number = self.tracking_number.is_some() && self.tracking_number != delivery.tracking_number;
        let last_note = delivery.history.last().and_then(|change| change.note.as_ref());
        new_number || (self.note.is_some() && self.note.as_ref() != last_note)
    }
}

/// Moves a delivery and publishes it. A delivery that is there already keeps a number or a note that is new, and nothing
/// is published.
///
/// # Errors
/// As listed by [`AdvanceDeliveryError`].
pub async fn advance_delivery(
    state: &AppState,
    id: DeliveryId,
    advance: &Advance,
) -> Result<Delivery, AdvanceDeliveryError> {
    require_payment(state, id, advance.to).await?;
    let mut tx = state.db.begin().await?;
    let effects = loop {
        let found = find(&mut tx, id).await?;
        let Transition { to, effects } = found.status.on(Input::Set(advance.to))?;
        if to == found.status && !advance.adds_to(&found) {
            return Ok(found);
        }
        let change = Move {
            id,
            from: found.status,
            to,
            tracking_number: advance.tracking_number.as_deref(),
            note: advance.note.as_deref(),
        };
        // Otherwise another transaction moved it since it was read, and what is legal is decided anew.
        if store::move_delivery(&mut tx, &change).await? {
            break effects;
        }
    };
    let changed = find(&mut tx, id).await?;
    for effect in effects {
        publish(&mut tx, effect, &changed, advance.note.clone()).await?;
    }
    state.outbox.commit(tx).await?;
    Ok(changed)
}

async fn find(db: &mut PgConnection, id: DeliveryId) -> Result<Delivery, AdvanceDeliveryError> {
    store::find_delivery(db, id, None).await?.ok_or(AdvanceDeliveryError::Unknown)
}

/// Goods leave only while the money is there: a bank may have taken it back since the order was paid.
async fn require_payment(state: &AppState, id: DeliveryId, to: Status) -> Result<(), AdvanceDeliveryError> {
    let found = find(&mut *state.db.acquire().await?, id).await?;
    if !found.status.leaves_by(to) {
        return Ok(());
    }
    match state.payments.is_paid(found.order_id, found.user_id).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(AdvanceDeliveryError::NotPaid),
        Err(status) => Err(AdvanceDeliveryError::Payments(status)),
    }
}

async fn publish(
    tx: &mut PgTransaction<'_>,
    effect: Effect,
    delivery: &Delivery,
    note: Option<String>,
) -> sqlx::Result<()> {
    let (order_id, user_id, delivery_id) = (delivery.order_id, Some(delivery.user_id), delivery.id);
    match effect {
        Effect::PublishShipped => {
            let tracking_number = delivery.tracking_number.clone();
            outbox::append(tx, DeliveryShipped { order_id, user_id, delivery_id, tracking_number }).await
        }
        Effect::PublishDelivered => {
            outbox::append(tx, DeliverySuccess { order_id, user_id, delivery_id }).await
        }
        Effect::PublishFailed => {
            outbox::append(tx, DeliveryFailed { order_id, user_id, delivery_id, note }).await
        }
    }
}
