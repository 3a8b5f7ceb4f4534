//! An administrator sets the status of a delivery. Deliveries that are moved at the same time are moved in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{
    context::{self, Trace},
    group_commit::Commit,
};
use contracts::{
    DeliveryId,
    events::{DeliveryFailed, DeliveryShipped, DeliverySuccess},
};
use messaging::outbox;
use sqlx::{PgTransaction, Result};

use crate::{
    AppState,
    domain::{Change, Delivery, Effect, IllegalChange, Input, Status, Transition},
    store::{self, Move},
};

/// What an administrator says of a delivery.
#[derive(Debug)]
pub struct Advance {
    pub id: DeliveryId,
    pub to: Status,
    /// The carrier's number; `None` keeps the known one.
    pub tracking_number: Option<String>,
    /// Free text for the row of the history.
    pub note: Option<String>,
    /// What follows is published as part of this.
    pub trace: Trace,
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

type Reply = std::result::Result<Delivery, AdvanceDeliveryError>;

impl Advance {
    /// Something new about a delivery, as part of the current trace.
    pub fn new(id: DeliveryId, to: Status, tracking_number: Option<String>, note: Option<String>) -> Self {
        Self { id, to, tracking_number, note, trace: context::current() }
    }

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
pub async fn advance_delivery(state: &AppState, advance: Advance) -> Reply {
    require_payment(state, advance.id, advance.to).await?;
    state.advances.submit(state, advance).await.map_err(sqlx::Error::from)?
}

/// Goods leave only while the money is there: a bank may have taken it back since the order was paid.
async fn require_payment(
    state: &AppState,
    id: DeliveryId,
    to: Status,
) -> std::result::Result<(), AdvanceDeliveryError> {
    let found = store::find_delivery(&mut *state.db.acquire().await?, id, None).await?;
    let found = found.ok_or(AdvanceDeliveryError::Unknown)?;
    if !found.status.leaves_by(to) {
        return Ok(());
    }
    match state.payments.is_paid(found.order_id, found.user_id).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(AdvanceDeliveryError::NotPaid),
        Err(status) => Err(AdvanceDeliveryError::Payments(status)),
    }
}

impl Commit for Advance {
    type State = AppState;
    type Reply = Reply;
    type Error = sqlx::Error;

    async fn commit(state: &AppState, group: &[Self]) -> Result<Vec<Reply>> {
        let mut tx = state.db.begin().await?;
        let mut replies = BTreeMap::new();
        let mut left: Vec<(usize, &Self)> = group.iter().enumerate().collect();
        // Of several about one delivery each sees what the one before has left.
        while !left.is_empty() {
            let mut seen = BTreeSet::new();
            let (now, later) = left.into_iter().partition(|(_, advance)| seen.insert(advance.id));
            replies.append(&mut advance_all(&mut tx, now).await?);
            left = later;
        }
        state.outbox.commit(tx).await?;
        Ok(replies.into_values().collect())
    }
}

/// Advances different deliveries: all are decided first, then written with one statement for each table. The replies have
/// the places of what was asked for.
async fn advance_all(
    tx: &mut PgTransaction<'_>,
    advances: Vec<(usize, &Advance)>,
) -> Result<BTreeMap<usize, Reply>> {
    let ids: Vec<i64> = advances.iter().map(|(_, advance)| advance.id.get()).collect();
    let mut found = store::lock_deliveries(tx, &ids).await?;
    let (mut replies, mut changes) = (BTreeMap::new(), Changes::default());
    for (place, advance) in advances {
        let decided = match found.remove(&advance.id) {
            Some(delivery) => changes.decide(place, advance, delivery),
            None => Err(AdvanceDeliveryError::Unknown),
        };
        replies.extend(decided.transpose().map(|reply| (place, reply)));
    }
    replies.extend(changes.write(tx).await?);
    Ok(replies)
}

/// What is to be written.
#[derive(Default)]
struct Changes<'a> {
    moves: Vec<Move<'a>>,
    /// What is moved, each with the place of its request.
    moved: Vec<(usize, &'a Advance, Delivery)>,
    shipped: Vec<(Trace, DeliveryShipped)>,
    delivered: Vec<(Trace, DeliverySuccess)>,
    failed: Vec<(Trace, DeliveryFailed)>,
}

impl<'a> Changes<'a> {
    /// Decides about one delivery. It is returned if there is nothing to write.
    fn decide(
        &mut self,
        place: usize,
        advance: &'a Advance,
        mut delivery: Delivery,
    ) -> std::result::Result<Option<Delivery>, AdvanceDeliveryError> {
        let from = delivery.status;
        let Transition { to, effects } = from.on(Input::Set(advance.to))?;
        if to == from && !advance.adds_to(&delivery) {
            return Ok(Some(delivery));
        }
        let (tracking_number, note) = (advance.tracking_number.as_deref(), advance.note.as_deref());
        self.moves.push(Move { id: advance.id, from, to, tracking_number, note });
        delivery.status = to;
        if advance.tracking_number.is_some() {
            delivery.tracking_number.clone_from(&advance.tracking_number);
        }
        for effect in effects {
            self.publish(effect, &delivery, advance);
        }
        self.moved.push((place, advance, delivery));
        Ok(None)
    }

    fn publish(&mut self, effect: Effect, delivery: &Delivery, advance: &Advance) {
        let (order_id, user_id, delivery_id) = (delivery.order_id, Some(delivery.user_id), delivery.id);
        let trace = advance.trace.clone();
        match effect {
            Effect::PublishShipped => {
                let tracking_number = delivery.tracking_number.clone();
                let event = DeliveryShipped { order_id, user_id, delivery_id, tracking_number };
                self.shipped.push((trace, event));
            }
            Effect::PublishDelivered => {
                self.delivered.push((trace, DeliverySuccess { order_id, user_id, delivery_id }));
            }
            Effect::PublishFailed => {
                let note = advance.note.clone();
                self.failed.push((trace, DeliveryFailed { order_id, user_id, delivery_id, note }));
            }
        }
    }

    /// Writes everything. Returns the deliveries as they are now.
    async fn write(self, tx: &mut PgTransaction<'_>) -> Result<Vec<(usize, Reply)>> {
        let Some(at) = store::move_deliveries(tx, &self.moves).await? else { return Ok(Vec::new()) };
        outbox::append_all(tx, self.shipped).await?;
        outbox::append_all(tx, self.delivered).await?;
        outbox::append_all(tx, self.failed).await?;
        let moved = self.moved.into_iter().map(|(place, advance, mut delivery)| {
            delivery.updated_at = at;
            delivery.history.push(Change { at, status: delivery.status, note: advance.note.clone() });
            (place, Ok(delivery))
        });
        Ok(moved.collect())
    }
}
