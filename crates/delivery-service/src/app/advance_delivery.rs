//! An administrator says where a delivery is.

use contracts::{
    DeliveryId,
    events::{DeliveryFailed, DeliveryShipped, DeliverySuccess},
};
use messaging::outbox;
use sqlx::PgTransaction;

use crate::{
    App,
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
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Moves a delivery and tells the shop. If it is there already, nothing changes and nobody is told.
///
/// # Errors
/// As listed by [`AdvanceDeliveryError`].
pub async fn advance_delivery(
    app: &App,
    id: DeliveryId,
    wish: &Advance,
) -> Result<Delivery, AdvanceDeliveryError> {
    let mut tx = app.db.begin().await?;
    let milestone = loop {
        let found = find(&mut tx, id).await?;
        let Step::Moved(milestone) = found.status.advance(wish.to)? else { return Ok(found) };
        let change = Move {
            id,
            from: found.status,
            to: milestone.status(),
            tracking_number: wish.tracking_number.as_deref(),
            note: wish.note.as_deref(),
        };
        // Otherwise somebody else moved it since it was read, and what is legal has to be asked again.
        if store::update_status(&mut tx, &change).await? {
            break milestone;
        }
    };
    let moved = find(&mut tx, id).await?;
    announce(&mut tx, &moved, milestone, wish.note.clone()).await?;
    app.outbox.commit(tx).await?;
    Ok(moved)
}

async fn find(tx: &mut PgTransaction<'_>, id: DeliveryId) -> Result<Delivery, AdvanceDeliveryError> {
    store::find_delivery(tx, id, None).await?.ok_or(AdvanceDeliveryError::Unknown)
}

async fn announce(
    tx: &mut PgTransaction<'_>,
    delivery: &Delivery,
    milestone: Milestone,
    note: Option<String>,
) -> sqlx::Result<()> {
    let (order_id, delivery_id) = (delivery.order_id, delivery.id);
    match milestone {
        Milestone::Shipped => {
            let tracking_number = delivery.tracking_number.clone();
            outbox::append(tx, DeliveryShipped { order_id, delivery_id, tracking_number }).await
        }
        Milestone::Delivered => outbox::append(tx, DeliverySuccess { order_id, delivery_id }).await,
        Milestone::Failed => outbox::append(tx, DeliveryFailed { order_id, delivery_id, note }).await,
    }
}
