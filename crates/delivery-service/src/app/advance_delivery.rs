//! An administrator says where a delivery is.

use contracts::{
    DeliveryId,
    events::{DeliveryFailed, DeliveryShipped, DeliverySuccess},
};
use messaging::outbox;
use sqlx::{PgConnection, PgTransaction};

use crate::{
    AppState,
    domain::{Delivery, IllegalChange, Milestone, Status, Step},
    store::{self, Move},
};

/// What the administrator says.
#[derive(Debug)]
pub struct Advance {
    /// Where it is now.
    pub to: Status,
    /// The carrier's number, if there is a new one.
    pub tracking_number: Option<String>,
    /// Anything worth keeping.
    pub note: Option<String>,
}

/// Why it is not done.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceDeliveryError {
    /// There is no such delivery.
    #[error("there is no such delivery")]
    Unknown,
    /// It cannot get there from where it is.
    #[error(transparent)]
    Illegal(#[from] IllegalChange),
    /// The money of the order is not there any more, as after a chargeback.
    #[error("the order is not paid")]
    NotPaid,
    /// payment-service did not say whether the money is there.
    #[error("payment-service")]
    Payments(#[source] tonic::Status),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Advance {
    /// Whether it says more than the delivery and the last row of its history.
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
    wish: &Advance,
) -> Result<Delivery, AdvanceDeliveryError> {
    require_payment(state, id, wish.to).await?;
    let mut tx = state.db.begin().await?;
    let step = loop {
        let found = find(&mut tx, id).await?;
        let step = found.status.advance(wish.to)?;
        if step == Step::AlreadyThere && !wish.adds_to(&found) {
            return Ok(found);
        }
        let change = Move {
            id,
            from: found.status,
            to: wish.to,
            tracking_number: wish.tracking_number.as_deref(),
            note: wish.note.as_deref(),
        };
        // Otherwise somebody else moved it since it was read, and what is legal has to be asked again.
        if store::update_status(&mut tx, &change).await? {
            break step;
        }
    };
    let changed = find(&mut tx, id).await?;
    if let Step::Moved(milestone) = step {
        announce(&mut tx, &changed, milestone, wish.note.clone()).await?;
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

async fn announce(
    tx: &mut PgTransaction<'_>,
    delivery: &Delivery,
    milestone: Milestone,
    note: Option<String>,
) -> sqlx::Result<()> {
    let (order_id, user_id, delivery_id) = (delivery.order_id, Some(delivery.user_id), delivery.id);
    match milestone {
        Milestone::Shipped => {
            let tracking_number = delivery.tracking_number.clone();
            outbox::append(tx, DeliveryShipped { order_id, user_id, delivery_id, tracking_number }).await
        }
        Milestone::Delivered => outbox::append(tx, DeliverySuccess { order_id, user_id, delivery_id }).await,
        Milestone::Failed => {
            outbox::append(tx, DeliveryFailed { order_id, user_id, delivery_id, note }).await
        }
    }
}
