//! Every (state, input) pair against table T1, as crates/CONTRACT.md has it.

use std::time::Duration;

use contracts::events::{CancelCause, ReversalKind};
use time::macros::datetime;

use super::*;
use crate::domain::{By, CancelPlan, CancelStep, Refusal};

/// Columns of the table, in its order; FAILED and CANCELLED share one.
const COLUMNS: [&[Status]; 8] = [
    &[Status::Received],
    &[Status::AwaitingPayment],
    &[Status::Paid],
    &[Status::Shipped],
    &[Status::Delivered],
    &[Status::DeliveryFailed],
    &[Status::Failed, Status::Cancelled],
    &[Status::Refunded],
];

const CONTRACT: &str = include_str!("../../../../CONTRACT.md");

/// The rows of T1 that tell of inputs: what happens, and a cell for each column. The others are wishes to cancel.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let (_, section) = CONTRACT.split_once("\n## T1").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let lines = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = lines.skip(1).filter(|line| !line.contains("cancels |"));
    let row = |line: &'static str| {
        let (name, cells) = line.split_once(" | ").unwrap();
        (name.trim_matches('`'), cells.split(" | ").collect())
    };
    rows.map(row).collect()
}

fn page() -> PaymentPage {
    let (url, expires) = ("http://pay".to_owned(), datetime!(2026-01-02 03:04:05 UTC));
    PaymentPage { url, expires, lifetime: Duration::from_mins(30) }
}

fn delivery() -> DeliveryId {
    DeliveryId::try_from(9_i64).unwrap()
}

fn refunds(causes: &[RefundCause], full: bool) -> Vec<Input> {
    let refund = |&cause| Input::PaymentRefunded(Returned { cause, amount: 5, total: 5, full });
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
            .map(|k| Input::PaymentReversed(5, k))
            .into(),
        "DeliveryShipped" => vec![Input::DeliveryShipped(delivery(), None)],
        "DeliverySuccess" => vec![Input::DeliverySuccess(delivery())],
        "DeliveryFailed" => vec![Input::DeliveryFailed(delivery(), None)],
        "15 minutes pass" => vec![Input::TimedOut],
        other => panic!("no such row: {other}"),
    }
}

/// A step in the table's words.
fn word(step: &Step) -> String {
    match step {
        Step::Moved(state) => state.status().to_string(),
        Step::Same => "=".to_owned(),
        Step::Note { alarm: false } => "note".to_owned(),
        Step::Note { alarm: true } => "note!".to_owned(),
        Step::Wait => "wait".to_owned(),
        Step::Reject => "x".to_owned(),
    }
}

#[test]
fn every_state_and_event_is_as_the_contract_says() {
    let mut pairs = 0;
    for (name, cells) in rows() {
        assert_eq!(cells.len(), COLUMNS.len(), "{name}");
        for input in inputs(name) {
            for (cell, states) in cells.iter().zip(COLUMNS) {
                for state in states {
                    let step = state.step(&input);
                    assert_eq!(word(&step), *cell, "{state} and {input:?}");
                    if let Step::Moved(to) = step {
                        let ends = matches!(to.status(), Status::Failed | Status::Cancelled);
                        assert_eq!(
                            to.cancelled_because().is_some(),
                            ends,
                            "OrderCancelled comes with the end"
                        );
                    }
                    pairs += 1;
                }
            }
        }
    }
    let all_inputs = 1 + 2 + 1 + 4 + 1 + 3 + 4 + 2 + 1 + 1 + 1 + 1;
    assert_eq!(pairs, all_inputs * Status::ALL.len());
}

#[test]
fn every_state_and_wish_to_cancel_is_as_the_contract_says() {
    // buyer | administrator; a refusal is 409 with its code.
    let table = [
        (Status::Received, "CANCELLED at once", "CANCELLED at once"),
        (Status::AwaitingPayment, "after CancelPayment", "after CancelPayment"),
        (Status::Paid, "409 already_paid", "after CancelDelivery"),
        (Status::Shipped, "409 already_shipped", "409 already_shipped"),
        (Status::Delivered, "409 already_shipped", "409 already_shipped"),
        (Status::DeliveryFailed, "409 already_shipped", "409 already_shipped"),
        (Status::Failed, "409 not_cancellable", "409 not_cancellable"),
        (Status::Cancelled, "200", "200"),
        (Status::Refunded, "409 not_cancellable", "409 not_cancellable"),
    ];
    let word = |plan| match plan {
        CancelPlan::AtOnce => "CANCELLED at once",
        CancelPlan::After(CancelStep::ClosePayment) => "after CancelPayment",
        CancelPlan::After(CancelStep::StopDelivery) => "after CancelDelivery",
        CancelPlan::Done => "200",
        CancelPlan::Refused(Refusal::AlreadyPaid) => "409 already_paid",
        CancelPlan::Refused(Refusal::AlreadyShipped) => "409 already_shipped",
        CancelPlan::Refused(Refusal::Ended) => "409 not_cancellable",
    };
    assert_eq!(table.map(|(status, ..)| status), Status::ALL);
    for (status, buyer, admin) in table {
        assert_eq!(word(status.plan_cancel(By::Buyer)), buyer, "{status}");
        for owner in [true, false] {
            assert_eq!(word(status.plan_cancel(By::Admin { owner })), admin, "{status}");
        }
    }
}

#[test]
fn the_cause_of_a_cancellation_says_who_undid_what() {
    assert_eq!(By::Buyer.cause(Status::Received), CancelCause::Customer);
    assert_eq!(By::Admin { owner: true }.cause(Status::AwaitingPayment), CancelCause::Customer);
    assert_eq!(By::Admin { owner: false }.cause(Status::Received), CancelCause::Admin);
    assert_eq!(By::Admin { owner: true }.cause(Status::Paid), CancelCause::Admin, "a sale is undone");
}

#[test]
fn goods_held_for_a_closed_payment_leave_the_order_to_its_payment() {
    assert_eq!(Status::Received.step(&Input::StockReserved(None)), Step::Note { alarm: false });
    for state in Status::ALL.into_iter().filter(|state| *state != Status::Received) {
        let with_page = state.step(&Input::StockReserved(Some(page())));
        assert_eq!(state.step(&Input::StockReserved(None)), with_page, "{state}: the page is not looked at");
    }
}

#[test]
fn only_an_unanswered_order_times_out() {
    for state in Status::ALL {
        let expected = match state {
            Status::Received => Step::Moved(State::Failed(FailureReason::Timeout)),
            _ => Step::Same,
        };
        assert_eq!(state.step(&Input::TimedOut), expected, "{state}");
    }
}
