//! What follows from transitions, gathered in memory and written with one statement for each table.

use chassis::context::Trace;
use contracts::{
    OrderId, UserId,
    events::{OrderCancelled, OrderPaid},
};
use jobs::{Due, JobId, Queue};
use messaging::{HandlerError, outbox};
use sqlx::PgTransaction;

use super::{
    deadlines::{jobs_of, obsolete_jobs},
    return_goods::return_jobs,
};
use crate::{
    domain::{Effect, Order, Transition},
    store::{self, history::Note, moves::Move},
};

/// Why a transition cannot be applied. Nothing of it is written.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("{0} came before its cause")]
    TooEarly(String),
    #[error("{0} cannot be true")]
    Impossible(String),
}

impl From<ApplyError> for HandlerError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::TooEarly(_) => Self::not_yet(error.to_string()),
            ApplyError::Impossible(_) => Self::reject(error.to_string()),
        }
    }
}

/// What the timeline and the events say about why an order changes.
#[derive(Debug)]
pub(super) struct Cause<'a> {
    /// The name of an event, or of what somebody did.
    pub name: &'static str,
    /// What it adds to that, for people.
    pub detail: Option<String>,
    /// What follows is published as part of this.
    pub trace: &'a Trace,
}

/// Everything that is to be written for orders that are locked.
#[derive(Debug, Default)]
pub(super) struct Changes {
    moves: Vec<Move>,
    notes: Vec<Note>,
    refunds: Vec<(OrderId, i64)>,
    payers: Vec<UserId>,
    /// With the places of their moves.
    paid: Vec<(usize, Trace, OrderPaid)>,
    cancelled: Vec<(Trace, OrderCancelled)>,
    /// Orders whose goods return to the stock.
    returned: Vec<i64>,
    due: Vec<Due>,
    obsolete: Vec<JobId>,
}

impl Changes {
    /// Adds what follows from a transition of an order, which is in the new state afterwards.
    ///
    /// # Errors
    /// If the transition says that the input cannot be applied.
    pub fn add(
        &mut self,
        order: &mut Order,
        Transition { to, effects }: Transition,
        cause: Cause<'_>,
    ) -> Result<(), ApplyError> {
        let input = || format!("{} for order {}, which is {},", cause.name, order.id, order.status);
        if effects.contains(&Effect::Postpone) {
            return Err(ApplyError::TooEarly(input()));
        }
        if effects.contains(&Effect::Reject) {
            return Err(ApplyError::Impossible(input()));
        }
        for effect in effects {
            self.add_effect(order, effect, &cause);
        }
        if let Some(to) = to {
            let from = std::mem::replace(&mut order.status, to.status());
            self.obsolete.extend(obsolete_jobs(order.id, from));
            self.due.extend(jobs_of(order.id, &to));
            self.moves.push(Move {
                id: order.id,
                from,
                to,
                cause: cause.name,
                detail: cause.detail,
                awaited_row: None,
            });
        }
        Ok(())
    }

    fn add_effect(&mut self, order: &Order, effect: Effect, cause: &Cause<'_>) {
        let trace = || cause.trace.clone();
        match effect {
            Effect::RecordPayer => self.payers.push(order.user_id),
            Effect::PublishPaid => self.paid.push((self.moves.len(), trace(), order.paid_event())),
            Effect::PublishCancelled(why) => self.cancelled.push((trace(), order.cancelled_event(why))),
            Effect::ReturnGoods => {
                self.returned.push(order.id.get());
                self.due.extend(return_jobs(order));
            }
            Effect::Annotate => {
                let (status, detail) = (order.status, cause.detail.clone());
                self.notes.push(Note { id: order.id, status, cause: cause.name, detail });
            }
            Effect::RecordRefund(total) => self.refunds.push((order.id, total)),
            Effect::Alarm => alarm(order, cause),
            Effect::Postpone | Effect::Reject => {}
        }
    }

    /// Writes everything.
    ///
    /// # Errors
    /// If an order is in another state than it was when it was locked, or the database does not answer.
    pub async fn write(mut self, tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        let (places, paid): (Vec<usize>, Vec<_>) =
            self.paid.into_iter().map(|(place, trace, event)| (place, (trace, event))).unzip();
        for (place, row) in places.into_iter().zip(outbox::append_all(tx, paid).await?) {
            self.moves[place].awaited_row = Some(row);
        }
        outbox::append_all(tx, self.cancelled).await?;
        store::moves::move_orders(tx, &self.moves).await?;
        store::moves::record_refunds(tx, &self.refunds).await?;
        store::history::insert_notes(tx, &self.notes).await?;
        store::buyers::record_payers(tx, &self.payers).await?;
        store::returns::insert_returns(tx, &self.returned).await?;
        Queue::cancel(tx, self.obsolete).await?;
        Queue::enqueue(tx, self.due).await
    }
}

fn alarm(order: &Order, Cause { name, detail, trace }: &Cause<'_>) {
    metrics::counter!("order_alarms_total", "cause" => *name).increment(1);
    tracing::error!(
        order.id = %order.id,
        order.status = %order.status,
        cause = name,
        detail,
        correlation_id = trace.correlation_id,
        "a person has to look at this order"
    );
}
