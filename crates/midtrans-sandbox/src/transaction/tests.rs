use std::time::Duration;

use time::OffsetDateTime;
use time::macros::datetime;

use super::{Event, Fraud, NotAllowed, Refund, RefundError, Status, Transaction};
use crate::cards::Card;
use crate::method::Method;

const NOW: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);

const EVENTS: [Event; 11] = [
    Event::Authorize,
    Event::Capture,
    Event::Challenge,
    Event::Settle,
    Event::Deny,
    Event::Cancel,
    Event::Expire,
    Event::Approve,
    Event::Reject,
    Event::Chargeback,
    Event::Reverse,
];

fn pending(method: Method) -> Transaction {
    Transaction::pending("t-1".to_owned(), method, 10_000, NOW, NOW + Duration::from_mins(15))
}

fn card() -> Transaction {
    pending(Method::CreditCard { card: Card::parse("4811111111111114").unwrap() })
}

fn after(mut transaction: Transaction, events: &[Event]) -> Transaction {
    for event in events {
        transaction.apply(*event, NOW).unwrap();
    }
    transaction
}

fn refund(key: &str) -> Refund {
    Refund {
        key: key.to_owned(),
        amount: 0,
        reason: String::new(),
        created_at: NOW,
        confirmed_at: NOW,
        direct: false,
    }
}

/// The events that can happen, with where they lead.
fn possible(transaction: &Transaction) -> Vec<(Event, Status)> {
    let step = |event: Event| {
        let mut transaction = transaction.clone();
        transaction.apply(event, NOW).ok().map(|()| (event, transaction.status))
    };
    EVENTS.into_iter().filter_map(step).collect()
}

#[test]
fn a_pending_card_can_be_charged_or_ended() {
    let expected = [
        (Event::Authorize, Status::Authorize),
        (Event::Capture, Status::Capture),
        (Event::Challenge, Status::Capture),
        (Event::Settle, Status::Settlement),
        (Event::Deny, Status::Deny),
        (Event::Cancel, Status::Cancel),
        (Event::Expire, Status::Expire),
    ];
    assert_eq!(possible(&card()), expected);
}

#[test]
fn an_authorized_card_can_be_captured_or_ended() {
    let expected = [
        (Event::Capture, Status::Capture),
        (Event::Deny, Status::Deny),
        (Event::Cancel, Status::Cancel),
        (Event::Expire, Status::Expire),
    ];
    assert_eq!(possible(&after(card(), &[Event::Authorize])), expected);
}

#[test]
fn a_captured_card_settles_or_is_cancelled() {
    let expected = [(Event::Settle, Status::Settlement), (Event::Cancel, Status::Cancel)];
    assert_eq!(possible(&after(card(), &[Event::Capture])), expected);
}

#[test]
fn a_challenged_card_waits_for_the_merchant() {
    let challenged = after(card(), &[Event::Challenge]);
    let expected =
        [(Event::Cancel, Status::Cancel), (Event::Approve, Status::Capture), (Event::Reject, Status::Deny)];
    assert_eq!(possible(&challenged), expected);
    assert_eq!(after(challenged.clone(), &[Event::Approve]).fraud, Fraud::Accept);
    assert_eq!(after(challenged, &[Event::Reject]).fraud, Fraud::Deny);
}

#[test]
fn a_settlement_can_only_be_taken_back() {
    let expected = [(Event::Chargeback, Status::Chargeback), (Event::Reverse, Status::Deny)];
    assert_eq!(possible(&after(card(), &[Event::Settle])), expected);
}

#[test]
fn what_is_over_stays_over_for_a_card() {
    for end in [Event::Deny, Event::Cancel, Event::Expire] {
        assert_eq!(possible(&after(card(), &[end])), [], "{end:?}");
    }
}

#[test]
fn a_bank_may_settle_a_virtual_account_late() {
    for end in [Event::Expire, Event::Cancel] {
        let ended = after(pending(Method::bank_transfer("bca")), &[end]);
        assert_eq!(possible(&ended), [(Event::Settle, Status::Settlement)]);
    }
}

#[test]
fn a_refused_event_changes_nothing() {
    let mut transaction = after(card(), &[Event::Capture]);
    let before = transaction.clone();
    assert_eq!(transaction.apply(Event::Expire, NOW), Err(NotAllowed));
    assert_eq!(transaction, before);
}

#[test]
fn refunds_add_up_to_the_amount_and_no_further() {
    let mut paid = after(pending(Method::Gopay), &[Event::Settle]);
    assert_eq!(paid.refund(Some(4_000), refund("a")), Ok(4_000));
    assert_eq!(paid.status, Status::PartialRefund);
    assert_eq!(paid.refund(Some(6_001), refund("b")), Err(RefundError::InvalidAmount));
    assert_eq!(paid.refund(Some(0), refund("b")), Err(RefundError::InvalidAmount));
    assert_eq!(paid.refund(Some(4_000), refund("a")), Err(RefundError::DuplicateKey));
    assert_eq!(paid.refund(None, refund("b")), Ok(6_000));
    assert_eq!((paid.status, paid.refunded()), (Status::Refund, 10_000));
    assert_eq!(paid.refund(None, refund("a")), Err(RefundError::DuplicateKey));
    assert_eq!(paid.refund(None, refund("c")), Err(RefundError::NotAllowed));
}

#[test]
fn only_what_is_settled_and_refundable_is_refunded() {
    let mut captured = after(card(), &[Event::Capture]);
    assert_eq!(captured.refund(None, refund("a")), Err(RefundError::NotAllowed));
    for method in [Method::bank_transfer("bca"), Method::echannel(), Method::cstore("indomaret")] {
        let mut settled = after(pending(method), &[Event::Settle]);
        assert_eq!(settled.refund(None, refund("a")), Err(RefundError::NotAllowed));
    }
}

#[test]
fn the_clock_expires_what_waits_and_accepts_slow_cards() {
    let end = NOW + Duration::from_mins(15);
    let mut slow = card();
    assert_eq!(slow.due_at(), Some(end));
    assert_eq!(slow.due_event(NOW), None);
    assert_eq!(slow.due_event(end), Some(Event::Expire));
    let accepted = NOW + Duration::from_mins(1);
    slow.accepted_at = Some(accepted);
    assert_eq!(slow.due_event(accepted), Some(Event::Capture));
    assert_eq!(after(card(), &[Event::Capture]).due_at(), None);
}
