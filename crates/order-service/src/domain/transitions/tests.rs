//! Every (state, input) pair against table T1, as crates/CONTRACT.md has it.

use std::time::Duration;

use contracts::{
    events::{CancelCause, ReversalKind},
    tables::Table,
};
use time::macros::datetime;

use super::*;
use crate::domain::{CancelPlan, CancelStep, Refusal, Requester};

fn page() -> PaymentPage {
    let (url, expires) = ("http://pay".to_owned(), datetime!(2026-01-02 03:04:05 UTC));
    PaymentPage { url, expires, lifetime: Duration::from_mins(30) }
}

fn delivery() -> DeliveryId {
    DeliveryId::try_from(9_i64).unwrap()
}

fn refunds(causes: &[RefundCause], full: bool) -> Vec<Input> {
    let refund = |&cause| Input::PaymentRefunded(Refund { cause, amount: 5, total: 5, full });
    causes.iter().map(refund).collect()
}

/// Every input that a row of the table stands for.
fn inputs(row: &str) -> Vec<Input> {
    use RefundCause::{Admin, Cancelled, DeliveryFailed, Late};
    match row {
        "StockReserved" => vec![Input::StockReserved(Some(page()))],
        "StockInsufficient" => [InsufficientReason::Insufficient, InsufficientReason::ProductGone]
            .map(|reason| Input::StockInsufficient(reason, Vec::new()))
            .into(),
        "PaymentSuccess" => vec![Input::PaymentSuccess(5, "qris".to_owned())],
        "PaymentFailed" => {
            use PaymentFailure::{Cancelled, Denied, Expired, NotCreated};
            [Expired, Denied, Cancelled, NotCreated].map(Input::PaymentFailed).into()
        }
        "all refunded, undelivered" => refunds(&[DeliveryFailed], true),
        "all refunded otherwise" => refunds(&[Admin, Late, Cancelled], true),
        "a part refunded" => refunds(&[Admin, Late, Cancelled, DeliveryFailed], false),
        "PaymentReversed" => [ReversalKind::Chargeback, ReversalKind::DeniedAfterSettlement]
            .map(|kind| Input::PaymentReversed(5, kind))
            .into(),
        "DeliveryShipped" => vec![Input::DeliveryShipped(delivery(), None)],
        "DeliverySuccess" => vec![Input::DeliverySuccess(delivery())],
        "DeliveryFailed" => vec![Input::DeliveryFailed(delivery(), None)],
        "15 minutes pass" => vec![Input::TimedOut],
        other => panic!("no such row: {other}"),
    }
}

/// The rows of T1 that are requests to cancel.
const CANCELLATIONS: [(&str, &[Requester]); 2] = [
    ("the buyer cancels", &[Requester::Buyer]),
    ("an administrator cancels", &[Requester::Admin { owner: true }, Requester::Admin { owner: false }]),
];

/// A transition as a cell of the table has it.
fn cell(Transition { to, effects }: &Transition) -> String {
    match (to, effects.as_slice()) {
        (Some(state), _) => state.status().to_string(),
        (None, []) => "=".to_owned(),
        (None, [Effect::Annotate] | [Effect::Annotate, Effect::RecordRefund(_)]) => "note".to_owned(),
        (None, [Effect::Alarm, Effect::Annotate]) => "note!".to_owned(),
        (None, [Effect::Postpone]) => "wait".to_owned(),
        (None, [Effect::Reject]) => "x".to_owned(),
        (None, other) => panic!("the table has no word for {other:?}"),
    }
}

#[test]
fn every_state_and_event_is_as_the_contract_says() {
    let (table, mut pairs) = (Table::below("T1"), 0);
    let events = table.rows.iter().filter(|(name, _)| CANCELLATIONS.iter().all(|(row, _)| row != name));
    for (name, _) in events {
        for (input, state) in inputs(name).iter().flat_map(|input| Status::ALL.map(|state| (input, state))) {
            let transition = state.on(input);
            assert_eq!(cell(&transition), table.outcome(name, state.as_str()), "{state} and {input:?}");
            let ends = matches!(transition.to, Some(State::Failed(_) | State::Cancelled { .. }));
            let published =
                transition.effects.iter().any(|effect| matches!(effect, Effect::PublishCancelled(_)));
            assert_eq!(published, ends, "OrderCancelled comes with the end");
            pairs += 1;
        }
    }
    let all_inputs = 1 + 2 + 1 + 4 + 1 + 3 + 4 + 2 + 1 + 1 + 1 + 1;
    assert_eq!(pairs, all_inputs * Status::ALL.len());
}

#[test]
fn every_state_and_request_to_cancel_is_as_the_contract_says() {
    let table = Table::below("T1");
    let cell = |plan| match plan {
        CancelPlan::AtOnce => "CANCELLED",
        CancelPlan::After(CancelStep::ClosePayment) => "CANCELLED, once the payment is closed",
        CancelPlan::After(CancelStep::StopDelivery) => "CANCELLED, once the delivery is stopped",
        CancelPlan::Done => "=",
        CancelPlan::Refused(Refusal::AlreadyPaid) => "409 already_paid",
        CancelPlan::Refused(Refusal::AlreadyShipped) => "409 already_shipped",
        CancelPlan::Refused(Refusal::Ended) => "409 not_cancellable",
    };
    assert_eq!(table.states, Status::ALL.map(Status::as_str));
    for (name, requesters) in CANCELLATIONS {
        let (_, cells) = table.rows.iter().find(|(row, _)| row == name).unwrap();
        for requester in requesters {
            let planned = Status::ALL.map(|status| cell(status.plan_cancel(*requester)));
            assert_eq!(*cells, planned, "{requester:?}");
        }
    }
}

#[test]
fn the_cause_of_a_cancellation_says_who_undid_what() {
    assert_eq!(Requester::Buyer.cause(Status::Received), CancelCause::Customer);
    assert_eq!(Requester::Admin { owner: true }.cause(Status::AwaitingPayment), CancelCause::Customer);
    assert_eq!(Requester::Admin { owner: false }.cause(Status::Received), CancelCause::Admin);
    assert_eq!(Requester::Admin { owner: true }.cause(Status::Paid), CancelCause::Admin, "a sale is undone");
}

#[test]
fn goods_held_for_a_closed_payment_leave_the_order_to_its_payment() {
    assert_eq!(Status::Received.on(&Input::StockReserved(None)), note());
    for state in Status::ALL.into_iter().filter(|state| *state != Status::Received) {
        let with_page = state.on(&Input::StockReserved(Some(page())));
        assert_eq!(state.on(&Input::StockReserved(None)), with_page, "{state}: the page does not matter");
    }
}

#[test]
fn only_an_unanswered_order_times_out() {
    for state in Status::ALL {
        let expected = match state {
            Status::Received => Transition::to(State::Failed(FailureReason::Timeout)),
            _ => no_op(),
        };
        assert_eq!(state.on(&Input::TimedOut), expected, "{state}");
    }
}
