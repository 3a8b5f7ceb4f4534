//! How long an order may stay in a state before somebody looks at it: the jobs that a state needs. What they do is in
//! [`super::reconcile_orders`].

use std::time::Duration;

use contracts::OrderId;
use jobs::{Due, Job, JobId};

use crate::domain::{State, Status};

/// How long product- and payment-service have to answer before `OrderCreated` is published again.
const RECEIVED_FOR: Duration = Duration::from_secs(30);
/// After this long an order fails that is still RECEIVED.
const GIVEN_UP_AFTER: Duration = Duration::from_mins(15);
/// How long payment-service has to publish the end of a page by itself.
const EXPIRED_FOR: Duration = Duration::from_mins(1);
/// How long delivery-service has to begin a delivery.
const PAID_FOR: Duration = Duration::from_mins(1);

/// Publishes `OrderCreated` again if every group has read it and nobody has answered.
#[derive(Debug)]
pub struct ReconcileReceived;

/// Fails an order that nobody has answered for a quarter of an hour.
#[derive(Debug)]
pub struct TimeOut;

/// Ends an order whose page has expired, by payment-service's answer.
#[derive(Debug)]
pub struct ReconcileUnpaid;

/// Finds the delivery of a paid order, or publishes `OrderPaid` again: a paid order needs a delivery. One that was stopped
/// was stopped for an administrator's cancellation.
#[derive(Debug)]
pub struct ReconcilePaid;

/// What a new order needs if nobody answers.
pub(super) fn jobs_of_new(id: OrderId) -> [Due; 2] {
    [ReconcileReceived::of(&id).after(RECEIVED_FOR), TimeOut::of(&id).after(GIVEN_UP_AFTER)]
}

/// The jobs of the state that an order enters.
pub(super) fn jobs_of(id: OrderId, to: &State) -> Option<Due> {
    match to {
        State::AwaitingPayment(page) => Some(ReconcileUnpaid::of(&id).after(page.lifetime + EXPIRED_FOR)),
        State::Paid => Some(ReconcilePaid::of(&id).after(PAID_FOR)),
        _ => None,
    }
}

/// The jobs of the state that an order leaves.
pub(super) fn obsolete_jobs(id: OrderId, from: Status) -> Vec<JobId> {
    match from {
        Status::Received => vec![ReconcileReceived::of(&id), TimeOut::of(&id)],
        Status::AwaitingPayment => vec![ReconcileUnpaid::of(&id)],
        Status::Paid => vec![ReconcilePaid::of(&id)],
        _ => Vec::new(),
    }
}
