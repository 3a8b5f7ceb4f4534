//! Every pair of state and input against a copy of the contract's table.

use contracts::events::{InsufficientReason, Item};

use super::*;
use crate::domain::allocation::lines;

/// Table T3. A row is a state, a column what happens: `same`, `again` (same, and answered again), `note`, `wait`,
/// `rej`, `stock` (HELD or REFUSED, as there is stock), or the new state. `SOLD` is entered into by a payment only, so
/// what the table leaves out there is: a repeated `OrderCreated` changes nothing, and only an administrator can cancel.
const TABLE: [(&str, [&str; 4]); 9] = [
    // what happens:           OrderCreated  OrderPaid  OrderCancelled  OrderCancelled(admin)
    ("none", ["stock", "wait", "REFUSED", "REFUSED"]),
    ("HELD", ["again", "SOLD", "RELEASED", "RELEASED"]),
    ("REFUSED", ["again", "rej", "same", "same"]),
    ("REFUSED, a tombstone", ["same", "rej", "same", "same"]),
    ("SOLD", ["same", "same", "rej", "RETURNED"]),
    ("RELEASED", ["same", "rej", "same", "same"]),
    ("RELEASED by an admin", ["same", "note", "same", "same"]),
    ("RETURNED", ["same", "same", "same", "same"]),
    ("RETURNED by an admin", ["same", "note", "same", "same"]),
];

fn product(id: i64) -> ProductId {
    id.try_into().unwrap()
}

fn hold(status: Status) -> Hold {
    let items = [Item { product_id: product(1), quantity: 2 }, Item { product_id: product(2), quantity: 1 }];
    Hold {
        status,
        lines: lines(&items).unwrap(),
        refusal: None,
        cancel_cause: None,
        user_id: None,
        total_amount: None,
    }
}

fn state(name: &str) -> Option<Hold> {
    let refusal = Some(Refusal { reason: InsufficientReason::Insufficient, items: vec![] });
    let (admin, other) = (Some(CancelCause::Admin), Some(CancelCause::Payment));
    Some(match name {
        "none" => return None,
        "HELD" => hold(Status::Held),
        "REFUSED" => Hold { refusal, ..hold(Status::Refused) },
        "REFUSED, a tombstone" => Hold { cancel_cause: other, ..hold(Status::Refused) },
        "SOLD" => hold(Status::Sold),
        "RELEASED" => Hold { cancel_cause: other, ..hold(Status::Released) },
        "RELEASED by an admin" => Hold { cancel_cause: admin, ..hold(Status::Released) },
        "RETURNED" => hold(Status::Returned),
        "RETURNED by an admin" => Hold { cancel_cause: admin, ..hold(Status::Returned) },
        unknown => panic!("{unknown}"),
    })
}

fn on_created(hold: Option<&Hold>) -> &'static str {
    match created(hold) {
        OnCreated::Allocate => "stock",
        OnCreated::AnswerAgain => "again",
        OnCreated::Same => "same",
    }
}

fn on_paid(hold: Option<&Hold>) -> &'static str {
    match paid(hold) {
        OnPaid::Sell => "SOLD",
        OnPaid::Same => "same",
        OnPaid::Note => "note",
        OnPaid::Wait => "wait",
        OnPaid::Reject => "rej",
    }
}

fn on_cancelled(hold: Option<&Hold>, cause: CancelCause) -> &'static str {
    match cancelled(hold, cause) {
        OnCancelled::Bury => "REFUSED",
        OnCancelled::Release => "RELEASED",
        OnCancelled::Return => "RETURNED",
        OnCancelled::Same => "same",
        OnCancelled::Reject => "rej",
    }
}

#[test]
fn every_pair_of_state_and_event_is_as_the_contract_says() {
    for (name, [on_create, on_pay, on_cancel, on_admin_cancel]) in TABLE {
        let hold = state(name);
        let hold = hold.as_ref();
        assert_eq!(on_created(hold), on_create, "{name}: OrderCreated");
        assert_eq!(on_paid(hold), on_pay, "{name}: OrderPaid");
        assert_eq!(on_cancelled(hold, CancelCause::Admin), on_admin_cancel, "{name}: OrderCancelled(admin)");
        for cause in [CancelCause::Customer, CancelCause::Stock, CancelCause::Payment, CancelCause::Timeout] {
            assert_eq!(on_cancelled(hold, cause), on_cancel, "{name}: OrderCancelled({cause:?})");
        }
    }
}

#[test]
fn goods_come_back_only_from_a_sale_and_never_more_than_was_sold() {
    let back = |quantity| Line { product_id: product(1), quantity };
    let unsold = ["none", "HELD", "REFUSED", "REFUSED, a tombstone", "RELEASED", "RELEASED by an admin"];
    for name in unsold {
        assert_eq!(returned(state(name).as_ref(), &[], back(1)), Err(NotReturnable::NotSold), "{name}");
    }
    let sold = hold(Status::Sold);
    assert_eq!(returned(Some(&sold), &[], back(3)), Err(NotReturnable::MoreThanSold(2)));
    let other = Line { product_id: product(9), quantity: 1 };
    assert_eq!(returned(Some(&sold), &[], other), Err(NotReturnable::MoreThanSold(0)));
}

#[test]
fn the_last_line_that_comes_back_ends_the_hold_and_no_line_comes_back_twice() {
    let sold = hold(Status::Sold);
    let back = Line { product_id: product(1), quantity: 2 };
    assert_eq!(returned(Some(&sold), &[], back), Ok(OnReturn::Free));
    assert_eq!(returned(Some(&sold), &[product(2)], back), Ok(OnReturn::FreeTheLast));
    assert_eq!(returned(Some(&sold), &[product(1)], back), Ok(OnReturn::Same));
    let all = [product(1), product(2)];
    assert_eq!(returned(Some(&hold(Status::Returned)), &all, back), Ok(OnReturn::Same));
}
