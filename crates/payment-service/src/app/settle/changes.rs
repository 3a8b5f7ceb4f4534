//! What follows from findings, gathered in memory and written with one statement for each table.

use chassis::context::Trace;
use contracts::events::{PaymentFailed, PaymentRefunded, PaymentReversed, PaymentSuccess};
use jobs::{Due, Job, Queue};
use messaging::outbox;
use sqlx::{PgTransaction, Result};

use super::Case;
use crate::{
    app::VoidAttempt,
    domain::{Effect, Payment, Status},
    store::{self, Move},
};

/// Everything that is to be written for payments that are locked. An event is published as part of the purchase that its
/// payment belongs to, whatever the finding came from.
#[derive(Debug, Default)]
pub(super) struct Changes {
    moves: Vec<Move>,
    succeeded: Vec<(Trace, PaymentSuccess)>,
    failed: Vec<(Trace, PaymentFailed)>,
    reversed: Vec<(Trace, PaymentReversed)>,
    refunded: Vec<(Trace, PaymentRefunded)>,
    due: Vec<Due>,
}

impl Changes {
    /// Moves a payment, which is in the new state afterwards, and records what paid it.
    pub fn move_payment(&mut self, payment: &mut Payment, to: Status, cause: &str) {
        let (order_id, from) = (payment.order_id, payment.status);
        if from == to {
            return;
        }
        payment.status = to;
        self.moves.push(Move { order_id, from, to, cause: cause.to_owned(), paid: payment.paid.clone() });
        let correlation_id = &payment.trace.correlation_id;
        tracing::info!(order.id = %order_id, cause, correlation_id, "payment moved from {from} to {to}");
    }

    pub fn add(&mut self, case: &Case<'_>, effect: Effect) {
        let payment = &case.payment;
        let (order_id, trace) = (payment.order_id, || payment.trace.clone());
        match effect {
            // Part of the move.
            Effect::RecordPayment => {}
            Effect::PublishSuccess => {
                self.succeeded.extend(payment.success_event().map(|event| (trace(), event)));
            }
            Effect::PublishFailed(reason) => self.failed.push((trace(), payment.failed_event(reason))),
            Effect::PublishReversed(kind) => {
                let event = payment.reversed_event(kind);
                tracing::error!(order.id = %order_id, ?kind, event.amount, "payment of a paid order was reversed");
                self.reversed.push((trace(), event));
            }
            Effect::PublishNothingLeft => self.refunded.push((trace(), payment.nothing_left_event())),
            Effect::AlarmAmount => {
                let (asked, paid) = (payment.amount, payment.paid_amount());
                tracing::error!(order.id = %order_id, ?asked, paid, "another amount was paid than asked for: decide the review");
            }
            Effect::Void => self.due.push(VoidAttempt::of(&case.attempt.midtrans_order_id).now()),
        }
    }

    /// Writes everything.
    ///
    /// # Errors
    /// If a payment is in another state than it was when it was locked, or the database does not answer.
    pub async fn write(self, tx: &mut PgTransaction<'_>) -> Result<()> {
        store::move_payments(tx, &self.moves).await?;
        outbox::append_all(tx, self.succeeded).await?;
        outbox::append_all(tx, self.failed).await?;
        outbox::append_all(tx, self.reversed).await?;
        outbox::append_all(tx, self.refunded).await?;
        Queue::enqueue(tx, self.due).await
    }
}
